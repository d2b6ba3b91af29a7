/** Personal data beyond the message itself: in a turn's results, its asks and its failures. */
import assert from "node:assert/strict";

import type { None } from "@troupe/core/engine";
import { agent, personal } from "@troupe/core";
import type { Context } from "@troupe/core";
import { LogRefusedError } from "@troupe/core/errors";
import { resumeDraft, decodeJournalRecord } from "@troupe/core/operate";
import { openRecord, subjectKeys } from "@troupe/core/engine";
import type { Log, AgentId } from "@troupe/core/log";
import type { LogCheck } from "../log-harness.ts";
import { everything, wholeJournal } from "../observe.ts";
import type { SchemaOf } from "./ledger.ts";
import { anything, lettersOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

interface Remark {
  readonly who: string;
  readonly text: string;
}
type Remarks = Readonly<Record<string, string>>;
type DeskContext = Context<Remarks, None & { readonly noted: Remark }>;

const remark = personal(anything<Remark>(), {
  fields: { text: "(erased)" },
  subject: ({ who }) => `customer/${who}`,
});

/** A desk that notes remarks about many people, each under the key of that person. */
function desk(during: (context: DeskContext, message: Remark) => unknown = () => undefined) {
  return agent("desk")
    .state<Remarks>({})
    .event("noted", remark, (state, { text, who }) => ({ ...state, [who]: text }))
    .on("note", remark, async (ctx, message) => {
      await during(ctx, message);
      ctx.emit.noted(message);
    })
    .on("look", anything<object>(), (ctx) => ctx.state)
    .on("ponder", anything<object>(), (ctx) => ctx.step("prompt", async () => ctx.state));
}

const greeted = personal(anything<{ readonly name: string }>(), { fields: { name: "(erased)" } });

const customer = agent("customer")
  .state<readonly string[]>([])
  .event("greeted", greeted, (all, { name }) => [...all, name])
  .on("greet", greeted, (ctx, message) => {
    ctx.emit.greeted(message);
    return `Welcome, ${message.name}`;
  })
  .on("look", anything<object>(), (ctx) => ctx.state);

/** Nowhere else in what is stored. */
const secret = "Zacharias Quetzal";
const deskA: AgentId = { type: "desk", key: "a" };

export const personalReachChecks: readonly LogCheck[] = [
  {
    name: "SEAL-1: what a turn makes of other people's data in its state goes with their keys",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(desk());
      await troupe.agent(desk(), "a").note({ who: "42", text: secret });
      await troupe.agent(desk(), "a").look({});
      await troupe.agent(desk(), "a").ponder({});
      const log = await stage.log();
      // The event, the reply to `look`, the step and the reply of `ponder`.
      assert.equal((await readable(log, deskA)).length, 4);
      await troupe.eraseKey("customer/42");
      assert.deepEqual(await readable(log, deskA), []);
    },
  },
  {
    name: "SEAL-3: a key that is erased and made anew while a turn runs leaves nothing in state and snapshot",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      const slow = desk(async (_, { text }) => {
        if (text !== "slow") return;
        started.resolve();
        await gate.promise;
      });
      const { heard, troupe } = await stage.host(slow, { snapshotTurns: 1 });
      await troupe.agent(slow, "a").note({ who: "42", text: secret });
      await troupe.agent(slow, "a").note({ who: "43", text: "keep me" });
      const noted = troupe.agent(slow, "a").note({ who: "44", text: "slow" });
      await started.promise;
      const heardOf = subjectKeys(troupe.log).changes;
      await (await stage.client()).eraseKey("customer/42");
      await subjectKeys(await stage.log()).make(["customer/42"]);
      await stage.until("the worker hears of it", () => subjectKeys(troupe.log).changes > heardOf);
      gate.resolve();
      await noted;
      const expected = { "42": "(erased)", "43": "keep me", "44": "slow" };
      assert.deepEqual(await troupe.agent(slow, "a").look({}), expected);
      await heard.has("snapshot.saved");
      await troupe.close();
      const next = await stage.host(desk());
      assert.deepEqual(await next.troupe.agent(desk(), "a").look({}), expected);
    },
  },
  {
    name: "SEAL-3: the same for somebody whose data goes in under both keys",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      const slow = desk(async (ctx, { text }) => {
        if (text !== "slow") return;
        started.resolve();
        await gate.promise;
        ctx.emit.noted({ who: "42", text: "anew" });
      });
      const { troupe } = await stage.host(slow, { snapshotTurns: 1 });
      await troupe.agent(slow, "a").note({ who: "42", text: secret });
      const noted = troupe.agent(slow, "a").note({ who: "43", text: "slow" });
      await started.promise;
      await (await stage.client()).eraseKey("customer/42");
      await subjectKeys(await stage.log()).make(["customer/42"]);
      await stage.until("the worker does not know the old key", () => {
        return subjectKeys(troupe.log).known("customer/42") === undefined;
      });
      gate.resolve();
      await noted;
      assert.deepEqual(await troupe.agent(slow, "a").look({}), { "42": "anew", "43": "slow" });
      const log = await stage.log();
      assert.deepEqual(await readable(log, deskA), []);
    },
  },
  {
    name: "SEAL-1: what an agent that declares nothing is told of somebody is sealed in its journal",
    async run(harness) {
      await using stage = new Stage(harness);
      const asker = agent("asker").on("meet", anything<object>(), (ctx) =>
        ctx.ask(customer, "42").greet({ name: secret }),
      );
      const { troupe } = await stage.host([customer, asker]);
      assert.equal(await troupe.agent(asker, "a").meet({}), `Welcome, ${secret}`);
      const log = await stage.log();
      assert.deepEqual(await plain(log), []);
      const asked = { type: "asker", key: "a" };
      assert.equal((await readable(log, asked)).length, 2);
      await troupe.eraseKey("customer/42");
      assert.deepEqual(await readable(log, asked), []);
    },
  },
  {
    name: "I6: an agent that declares nothing sends somebody's data and then takes a step, once",
    async run(harness) {
      await using stage = new Stage(harness);
      let effects = 0;
      const mover = agent("mover").on("move", anything<object>(), async (ctx) => {
        ctx.send(customer, "42").greet({ name: secret });
        return ctx.step("count", async () => ++effects);
      });
      const { heard, troupe } = await stage.host([mover, customer], { retry: { attemptsMax: 1 } });
      assert.equal(await troupe.agent(mover, "m").move({}), 1);
      assert.deepEqual(heard.of("turn.retrying"), []);
      const records = await recordsOf(await stage.log(), { type: "mover", key: "m" });
      assert.ok(records.some((record) => record.kind === "steps" && record.steps.steps.length > 0));
      assert.deepEqual(await plain(await stage.log()), []);
    },
  },
  {
    name: "SEAL-2: onFailed runs for a message that was not open, and what it stores of others is sealed",
    async run(harness) {
      await using stage = new Stage(harness);
      const failing = agent("desk")
        .state<Remarks>({})
        .event("noted", remark, (state, { text, who }) => ({ ...state, [who]: text }))
        .on(
          "note",
          remark,
          () => {
            throw new Error("not now");
          },
          {
            retry: { attemptsMax: 1, exhausted: "park" },
            onFailed: (ctx, _, { text, who }) => {
              ctx.emit.noted({ who: `friend of ${who}`, text });
            },
          },
        )
        .on("look", anything<object>(), (ctx) => ctx.state);
      const first = await stage.host(failing);
      await first.troupe.send(failing, "a").note({ who: "42", text: secret });
      await first.heard.has("agent.parked");
      await first.troupe.close();
      // Nobody knows a key when the message is given up.
      const { troupe } = await stage.host(failing);
      const log = await stage.log();
      await log.accept(resumeDraft(deskA, { skip: true }));
      assert.deepEqual(await troupe.agent(failing, "a").look({}), { "friend of 42": secret });
      assert.deepEqual(await plain(log), []);
      assert.deepEqual((await lettersOf(log)).at(-1), "rejected");
    },
  },
  {
    name: "SEAL-2: while the key store refuses, a message waits, and is then handled once",
    async run(harness) {
      await using stage = new Stage(harness);
      let isFull = true;
      const tamper = ({ keys }: Log): Partial<Log> => ({
        keys: {
          read: (name) => keys.read(name),
          write: async (name, value, revision) => {
            if (isFull) throw new LogRefusedError("No room left, says the check.");
            return keys.write(name, value, revision);
          },
          shred: (name, value, revision) => keys.shred(name, value, revision),
          onChange: (listener) => keys.onChange(listener),
        },
      });
      const options = { tamper, retry: { attemptsMax: 1 } };
      const { heard, troupe } = await stage.host(customer, options);
      const looking = troupe.agent(customer, "42").look({});
      await heard.has("turn.retrying", 3);
      isFull = false;
      assert.deepEqual(await looking, []);
      assert.deepEqual(await lettersOf(await stage.log()), []);
    },
  },
  {
    name: "SEAL-1: a message that its schema changes is sealed as a whole, for whom the schema makes of it",
    async run(harness) {
      await using stage = new Stage(harness);
      const renamed = personal(renaming(), {
        fields: { name: "(erased)" },
        subject: ({ id }) => `customer/${id}`,
      });
      const renamer = agent("renamer")
        .state<readonly string[]>([])
        .event("greeted", remark, (all, { text }) => [...all, text])
        .on("greet", renamed, (ctx, { id, name }) => ctx.emit.greeted({ who: id, text: name }))
        .on("look", anything<object>(), (ctx) => ctx.state);
      const { troupe } = await stage.host(renamer);
      await troupe.agent(renamer, "a").greet({ Id: "ABC", fullName: secret });
      assert.deepEqual(await troupe.agent(renamer, "a").look({}), [secret]);
      const log = await stage.log();
      assert.deepEqual(await plain(log), []);
      await troupe.eraseKey("customer/abc");
      assert.equal(await subjectKeys(log).idOf("customer/ABC"), undefined, "it is the same person");
    },
  },
];

/** The same person, whatever the letters. */
function renaming(): Renaming {
  return {
    "~standard": {
      version: 1,
      vendor: "troupe-contract",
      validate: (value) => {
        const { fullName, Id } = value as { readonly Id: string; readonly fullName: string };
        return { value: { id: Id.toLowerCase(), name: fullName } };
      },
    },
  };
}

type Renaming = SchemaOf<unknown> & {
  readonly "~standard": {
    readonly types?: {
      readonly input: { readonly Id: string; readonly fullName: string };
      readonly output: { readonly id: string; readonly name: string };
    };
  };
};

async function recordsOf(log: Log, agentId: AgentId) {
  const entries = await wholeJournal(log, agentId);
  return entries.map(({ record }) => decodeJournalRecord(record));
}

/** Places where the secret can be read with the keys. */
async function readable(log: Log, agentId: AgentId): Promise<readonly string[]> {
  const found: string[] = [];
  for (const record of await recordsOf(log, agentId)) {
    const open = await openRecord(log, record);
    const parts =
      open.kind === "turn"
        ? { events: open.turn.events, reply: open.turn.reply, steps: open.turn.steps }
        : { steps: open.kind === "steps" ? open.steps.steps : undefined };
    for (const [part, content] of Object.entries(parts)) {
      if (JSON.stringify([content]).includes(secret)) found.push(`${open.kind} ${part}`);
    }
  }
  return found;
}

/** Places where the secret can be read without any keys. */
async function plain(log: Log): Promise<readonly string[]> {
  return (await everything(log)).flatMap((entry) => {
    if (entry.kind === "turn") return has(entry.entry.record) ? [entry.agent.type] : [];
    if (entry.kind === "input") return has(entry.input.payload) ? ["input"] : [];
    return has(entry.deadLetter.payload) ? ["dead letter"] : [];
  });
}

function has(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).includes(secret);
}
