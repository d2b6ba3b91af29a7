/**
 * Messages that are given up in every way while they are handled in bulk: their askers lose
 * patience or run out of time, their time limits pass, their batches throw, they are refused, and
 * they park their desks. Whatever happens, each has one turn, in order, on the state that the turns
 * before it made; a turn that kept nothing sent nothing; and a step has one result, however many
 * runs of the handler go on beside one another.
 */
import assert from "node:assert/strict";

import type { Troupe } from "@troupe/core";
import { agent, Reject, TroupeError } from "@troupe/core";
import { isResume, resumeDraft } from "@troupe/core/operate";
import type { Chance, History, Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The office of the run that is going on; runs follow one another. */
const office = {
  wait: async (_delayMs: number): Promise<void> => undefined,
  effects: 0,
  /** Set once nothing jams or takes too long any more. */
  repaired: false,
};

async function effect(delayMs: number): Promise<number> {
  office.effects += 1;
  const result = office.effects;
  await office.wait(delayMs);
  return result;
}

const kinds = ["plain", "plain", "asking", "slow", "shaky", "poison", "jam", "refused"] as const;
const paper = z.object({ id: z.string(), kind: z.enum(kinds), delayMs: z.number() });
const filed = z.object({ id: z.string(), read: z.number(), signed: z.number() });
type Filed = z.infer<typeof filed>;

const archive = agent("archive")
  .state({ ids: [] as readonly string[] })
  .event("kept", z.object({ id: z.string() }), ({ ids }, { id }) => ({ ids: [...ids, id] }))
  .on("keep", z.object({ id: z.string() }), (ctx, { id }) => ctx.emit.kept({ id }))
  .on("look", z.object({ delayMs: z.number() }), async (_, { delayMs }) => {
    await office.wait(delayMs);
    return "nothing";
  });

const timeoutMs = 150;

const desk = agent("desk")
  .state({ papers: [] as readonly Filed[] })
  .event("filed", filed, ({ papers }, event) => ({ papers: [...papers, event] }))
  .onBatch(
    "file",
    paper,
    async (ctx, batch) => {
      const readings = await ctx.step("read", batch, async (items) => {
        const delays = items.map(({ data }) => data.delayMs);
        const result = await effect(Math.max(...delays));
        return items.map(() => result);
      });
      if (batch.some(({ data, message }) => data.kind === "poison" && message.attempt < 2)) {
        throw new Error("something in the batch is bad");
      }
      const replies: unknown[] = [];
      for (const [index, item] of batch.entries()) {
        const { delayMs, id, kind } = item.data;
        if (kind === "asking") {
          await item
            .ask(archive, "nobody", { timeoutMs: 1000 })
            .look({ delayMs })
            .catch(() => undefined);
        }
        const late = kind === "slow" && !office.repaired && item.message.attempt === 1;
        item.emit.filed({ id, read: readings[index] ?? 0, signed: 0 });
        const signed = await item.step("sign", () => effect(late ? timeoutMs : delayMs));
        item.emit.filed({ id, read: readings[index] ?? 0, signed });
        item.send(archive, item.agent.key).keep({ id });
        replies.push(item.state.papers.length);
        if (kind === "refused") item.fail(new Reject("unwanted"));
        if (kind === "jam" && !office.repaired) item.fail(new Error("jammed"));
        if (kind === "shaky" && item.message.attempt < 2) item.fail(new Error("not yet"));
      }
      return replies;
    },
    {
      batch: { size: 4, waitMs: 20 },
      retry: { attemptsMax: 3, delayMs: 10, delayMsMax: 50, timeoutMs, exhausted: "park" },
    },
  )
  .on("stamp", paper, async (ctx, { delayMs, id }) => {
    const signed = await ctx.step("sign", () => effect(delayMs));
    ctx.emit.filed({ id, read: 0, signed });
    ctx.send(archive, ctx.agent.key).keep({ id });
    return ctx.state.papers.length;
  });

const keys = ["one", "two"] as const;
/** Rounds after which every desk runs, with time to spare. */
const roundsMax = 60;

export const impatience: System = {
  name: "impatience",
  agents: [desk, archive],
  partitions: 1,
  drive: async (client, stage) => {
    office.effects = 0;
    office.repaired = false;
    office.wait = (delayMs) => stage.wait(delayMs);
    const withinMs = stage.chance.pick([1, 200, 2000]);
    await stage.times(14, (index, chance) => hand(client, stage, { id: `p${index}`, chance }), {
      withinMs,
    });
    office.repaired = true;
    for (let round = 0; round < roundsMax; round++) {
      await Promise.all(keys.map((key) => resume(client, key)));
      const running = await Promise.all(keys.map((key) => isRunning(client, key)));
      if (running.every(Boolean)) break;
      await stage.wait(500);
    }
    // What was begun for nobody any more comes to its end.
    await stage.wait(1000);
  },
  check: (history) => {
    for (const key of keys) checkDesk(history, key);
  },
};

async function hand(
  client: Troupe,
  stage: Stage,
  { chance, id }: { readonly id: string; readonly chance: Chance },
): Promise<void> {
  const key = chance.happens(0.7) ? "one" : "two";
  const kind = chance.pick(kinds);
  const what = { id, kind, delayMs: chance.magnitude(1, 60) };
  const stamps = chance.happens(0.15);
  if (chance.happens(0.5)) {
    const sent = client.send(desk, key);
    await (stamps ? sent.stamp(what) : sent.file(what));
    return;
  }
  const asker = new AbortController();
  const options = { signal: asker.signal, timeoutMs: chance.pick([5, 60, 200, 5000]) };
  const asked = client.agent(desk, key, options);
  const answered = (stamps ? asked.stamp(what) : asked.file(what)).catch((thrown: unknown) => {
    assert.ok(thrown instanceof TroupeError, `${id} failed without a name: ${String(thrown)}`);
  });
  if (chance.happens(0.6)) {
    await Promise.race([answered, stage.wait(chance.magnitude(1, 200))]);
    asker.abort();
  }
  await answered;
}

async function resume(client: Troupe, key: string): Promise<void> {
  await client.log.accept(resumeDraft({ type: desk.type, key }));
}

async function isRunning(client: Troupe, key: string): Promise<boolean> {
  const last = { id: "last", kind: "plain", delayMs: 1 } as const;
  try {
    await client.agent(desk, key, { timeoutMs: 5000 }).stamp(last);
    return true;
  } catch (thrown) {
    if (thrown instanceof TroupeError) return false;
    throw thrown;
  }
}

function checkDesk(history: History, key: string): void {
  const inputs = [...history.inputs.values()].filter(
    ({ address, ...input }) =>
      address.name === desk.type && address.key === key && !isResume({ address, ...input }),
  );
  const turns = history.turns(desk, key);
  assert.deepEqual(
    turns.map(({ record }) => record.inputPosition),
    inputs.map(({ position }) => position),
    `the papers of ${key}`,
  );
  let papers = 0;
  const kept: string[] = [];
  for (const { record, steps } of turns) {
    const what = `turn ${record.turn} of ${key}`;
    if (record.failure !== undefined) {
      assert.ok(failures.has(record.failure.code), `${what}: ${record.failure.code}`);
      assert.equal(record.events.length + record.sent.length, 0, `${what} keeps something`);
      continue;
    }
    papers += record.events.length;
    assert.equal(record.reply, papers, `what the handler saw in ${what}`);
    const { id, read, signed } = filed.parse(record.events.at(-1)?.data);
    kept.push(id);
    const recorded = Object.fromEntries(steps.map(({ name, value }) => [name, value]));
    const asked = Object.keys(recorded).filter((name) => name.startsWith("~ask"));
    assert.equal(recorded["sign"], signed, `what was signed in ${what}`);
    assert.equal(recorded["read"] ?? 0, read, `what was read in ${what}`);
    const names = steps.length - asked.length;
    assert.equal(names, record.message === "file" ? 2 : 1, `the steps of ${what}`);
    assert.ok(asked.length <= 1, `the asks of ${what}`);
  }
  assert.deepEqual(history.state(archive, key).ids, kept, `the archive of ${key}`);
}

const failures = new Set(["rejected", "ask-cancelled", "deadline-passed"]);
