/** Personal data: sealed wherever it lies, open for whoever handles it, gone with its key. */
import assert from "node:assert/strict";

import { agent, personal, topic } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { subjectKeys } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";

interface Registration {
  readonly name: string;
  readonly plan: string;
  readonly notes: readonly { readonly text: string }[];
}

interface Customer {
  readonly names: readonly string[];
  readonly plans: readonly string[];
  readonly texts: readonly string[];
}

const fields = { name: "(erased)", "notes.*.text": "(no text)" } as const;
const registration = personal(anything<Registration>(), { fields });

const customer = agent("customer")
  .state<Customer>({ names: [], plans: [], texts: [] })
  .event("registered", registration, ({ names, plans, texts }, { name, notes, plan }) => ({
    names: [...names, name],
    plans: [...plans, plan],
    texts: [...texts, ...notes.map(({ text }) => text)],
  }))
  .on("register", registration, async (ctx, message) => {
    await ctx.step("greet", message.name, async (name) => `Dear ${name}`);
    ctx.emit.registered(message);
    return `Welcome, ${message.name}`;
  })
  .on("look", anything<object>(), (ctx) => ctx.state);

/** Nowhere else in what is stored. */
const secret = "Zacharias Quetzal";

function registrationOf(name: string, plan: string): Registration {
  return { name, plan, notes: [{ text: `${name} was here` }] };
}

const moved = topic(
  "moved",
  personal(anything<{ readonly to: string }>(), {
    fields: { to: "(nowhere)" },
    subject: (_, { key }) => `customer/${key}`,
  }),
);

/** A desk that notes remarks about many people, each under the key of that person. */
const desk = agent("desk")
  .state<Readonly<Record<string, string>>>({})
  .event(
    "noted",
    personal(anything<{ readonly who: string; readonly text: string }>(), {
      fields: { text: "(erased)" },
      subject: ({ who }) => `customer/${who}`,
    }),
    (state, { text, who }) => ({ ...state, [who]: text }),
  )
  .on(
    "note",
    personal(anything<{ readonly who: string; readonly text: string }>(), {
      fields: { text: "(erased)" },
      subject: ({ who }) => `customer/${who}`,
    }),
    (ctx, message) => ctx.emit.noted(message),
  )
  .on("look", anything<object>(), (ctx) => ctx.state);

const mover = agent("mover").on("move", anything<string>(), (ctx, to) => {
  ctx.publish(moved, "42", { to });
  ctx.send(customer, "42").register(registrationOf(to, "sent"));
});

const follower = agent("follower")
  .state<readonly string[]>([])
  .event("seen", anything<string>(), (seen) => [...seen, "somebody moved"])
  .subscribe(moved, (ctx) => ctx.emit.seen("somebody moved"))
  .on("look", anything<object>(), (ctx) => ctx.state);

export const personalChecks: readonly LogCheck[] = [
  {
    name: "SEAL-1, I12: personal data is open for handler, fold, reply and replay, and in nothing that is stored",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(customer, { snapshotTurns: 1 });
      const reply = await troupe.agent(customer, "42").register(registrationOf(secret, "gold"));
      assert.equal(reply, `Welcome, ${secret}`);
      const expected = { names: [secret], plans: ["gold"], texts: [`${secret} was here`] };
      assert.deepEqual(await troupe.agent(customer, "42").look({}), expected);
      await heard.has("snapshot.saved", 2);
      let replayed: unknown;
      for await (const { state } of troupe.replay(customer, "42")) replayed = state;
      assert.deepEqual(replayed, expected);
      const log = await stage.log();
      assert.deepEqual(await holding(log, secret), []);
      assert.ok((await holding(log, "gold")).length > 0, "what is not personal is plain");
      await troupe.close();
      const next = await stage.host(customer);
      assert.deepEqual(await next.troupe.agent(customer, "42").look({}), expected);
    },
  },
  {
    name: "an erased person is a placeholder for fold and replay, of a running agent, a snapshot and a journal",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(customer, { snapshotTurns: 1 });
      await troupe.agent(customer, "42").register(registrationOf(secret, "gold"));
      await troupe.agent(customer, "43").register(registrationOf("Somebody Else", "silver"));
      await heard.has("snapshot.saved", 2);
      await subjectKeys(await stage.log()).erase("customer/42");
      const erased = { names: ["(erased)"], plans: ["gold"], texts: ["(no text)"] };
      await stage.until("the running agent forgets", async () => {
        const { names } = await troupe.agent(customer, "42").look({});
        return names[0] === "(erased)";
      });
      assert.deepEqual(await troupe.agent(customer, "42").look({}), erased);
      assert.deepEqual((await troupe.agent(customer, "43").look({})).names, ["Somebody Else"]);
      // A new life under a new key.
      await troupe.agent(customer, "42").register(registrationOf("Anew", "bronze"));
      const both = { names: ["(erased)", "Anew"], plans: ["gold", "bronze"] };
      const { texts: _, ...state } = await troupe.agent(customer, "42").look({});
      assert.deepEqual(state, both);
      await troupe.close();
      const next = await stage.host(customer);
      const { texts: __, ...again } = await next.troupe.agent(customer, "42").look({});
      assert.deepEqual(again, both);
    },
  },
  {
    name: "SEAL-4: a message whose data was erased before it was handled is not handled",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host(customer);
      await first.troupe.agent(customer, "1").look({});
      await first.troupe.close();
      const client = await stage.client();
      await client.send(customer, "42").register(registrationOf(secret, "gold"));
      await subjectKeys(await stage.log()).erase("customer/42");
      const { troupe } = await stage.host(customer);
      assert.deepEqual((await troupe.agent(customer, "42").look({})).names, []);
      const entries = await everything(await stage.log(), { kinds: ["dead-letter"] });
      const codes = entries.map(
        (entry) => entry.kind === "dead-letter" && entry.deadLetter.failure.code,
      );
      assert.deepEqual(codes, ["personal-data-erased"]);
    },
  },
  {
    name: "one person's data goes out of an agent that knows many, and the others' stay",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host(desk, { snapshotTurns: 1 });
      await troupe.agent(desk, "a").note({ who: "42", text: secret });
      await troupe.agent(desk, "a").note({ who: "43", text: "keep me" });
      await heard.has("snapshot.saved", 2);
      assert.deepEqual(await holding(await stage.log(), secret), []);
      await subjectKeys(await stage.log()).erase("customer/42");
      await stage.until("the running agent forgets", async () => {
        return (await troupe.agent(desk, "a").look({}))["42"] === "(erased)";
      });
      await troupe.close();
      const next = await stage.host(desk);
      const kept = await next.troupe.agent(desk, "a").look({});
      assert.deepEqual(kept, { "42": "(erased)", "43": "keep me" });
    },
  },
  {
    name: "what a turn sends and publishes of a person is sealed with that person's key",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([mover, customer, follower]);
      await troupe.send(mover, "m").move("Atlantis");
      await stage.until("both arrived", async () => {
        const { names } = await troupe.agent(customer, "42").look({});
        const seen = await troupe.agent(follower, "42").look({});
        return names[0] === "Atlantis" && seen.length > 0;
      });
      // The mover itself declares nothing personal, so its own message is plain.
      const held = (await holding(await stage.log(), "Atlantis")).filter(
        (where) => !where.startsWith("input agent/mover"),
      );
      assert.deepEqual(held, []);
    },
  },
  {
    name: "SEAL-2: while nobody answers for the keys a message waits, and is then handled once",
    async run(harness) {
      await using stage = new Stage(harness);
      let isUp = true;
      const tamper = (log: Log): Partial<Log> => ({
        keys: {
          ...boundKeys(log),
          read: async (name) => {
            if (isUp) return log.keys.read(name);
            throw new LogUnavailableError("No key store, says the check.");
          },
        },
      });
      const client = await stage.client();
      const options = { tamper, retry: { attemptsMax: 1 } };
      const { heard, troupe } = await stage.host([customer, mover], options);
      await troupe.agent(customer, "1").look({});
      isUp = false;
      // Of one the key is missing before the handler, of the other behind it.
      await client.send(customer, "42").register(registrationOf(secret, "gold"));
      await client.send(mover, "m").move("Atlantis");
      await stage.until("both were tried more often than a handler would be", () => {
        const types = heard.of("turn.retrying").map(({ agent: { type } }) => type);
        return ["customer", "mover"].every((type) => types.filter((each) => each === type)[2]);
      });
      isUp = true;
      await stage.until("both arrived", async () => {
        const { plans } = await troupe.agent(customer, "42").look({});
        return plans.toSorted().join(" ") === "gold sent";
      });
      const log = await stage.log();
      assert.deepEqual(await everything(log, { kinds: ["dead-letter"] }), []);
      const [{ record } = { record: new Uint8Array() }] = await log.journal(
        { type: "customer", key: "42" },
        0,
      );
      const first = decodeJournalRecord(record);
      assert.ok(first.kind !== "turn" || first.turn.attempts === 1, "only one run counts");
    },
  },
  {
    name: "the same message again is the same, although it is sealed anew",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(customer);
      const again = { id: "the-registration" };
      const first = await troupe
        .send(customer, "42")
        .register(registrationOf(secret, "gold"), again);
      const second = await troupe
        .send(customer, "42")
        .register(registrationOf(secret, "gold"), again);
      assert.equal(second.position, first.position);
      await rejectsWith(
        troupe.send(customer, "42").register(registrationOf(secret, "silver"), again),
        "id-taken",
      );
      assert.deepEqual((await troupe.agent(customer, "42").look({})).names, [secret]);
    },
  },
];

function boundKeys({ keys }: Log): Log["keys"] {
  return {
    read: (name) => keys.read(name),
    write: (name, value, revision) => keys.write(name, value, revision),
    shred: (name, value, revision) => keys.shred(name, value, revision),
    onChange: (listener) => keys.onChange(listener),
  };
}

/** Stored entries that hold these letters. */
async function holding(log: Log, letters: string): Promise<readonly string[]> {
  const found: string[] = [];
  const look = (where: string, bytes: Uint8Array): void => {
    if (Buffer.from(bytes).includes(letters)) found.push(where);
  };
  const agents = new Map<string, { readonly type: string; readonly key: string }>();
  for (const entry of await everything(log)) {
    if (entry.kind === "input") {
      const { kind, name, key } = entry.input.address;
      look(`input ${kind}/${name}/${key}`, entry.input.payload);
    } else if (entry.kind === "turn") {
      agents.set(`${entry.agent.type}/${entry.agent.key}`, entry.agent);
      look(`record of ${entry.agent.type}/${entry.agent.key}`, entry.entry.record);
    } else {
      look("dead letter", entry.deadLetter.payload);
      look("dead letter", Buffer.from(JSON.stringify(entry.deadLetter.failure)));
    }
  }
  for (const [name, agentId] of agents) {
    look(`snapshot of ${name}`, (await log.snapshot(agentId)) ?? new Uint8Array());
  }
  return found;
}
