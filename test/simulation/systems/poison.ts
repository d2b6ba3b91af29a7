/**
 * Poison: among good messages some are not valid, are not decodable, are rejected, are for nobody,
 * always throw, or throw until the third try. Each bad one becomes one dead letter, and none of the
 * good ones suffers.
 */
import assert from "node:assert/strict";

import { agent, Reject } from "@troupe/core";
import type { Chance, History, Stage, System } from "@troupe/testing";
import type { Troupe } from "@troupe/core";
import { z } from "zod";

const job = z.object({ id: z.string(), how: z.enum(["good", "rejected", "throws", "shaky"]) });

const till = agent("till")
  .state({ done: [] as readonly string[] })
  .event("done", z.object({ id: z.string() }), ({ done }, { id }) => ({ done: [...done, id] }))
  .on("work", job, async (ctx, { how, id }) => {
    ctx.emit.done({ id });
    ctx.send(receipt, ctx.agent.key).print({ id });
    await Promise.resolve();
    if (how === "rejected") throw new Reject("unwanted", { id });
    if (how === "throws") throw new Error(`${id} is poison`);
    if (how === "shaky" && ctx.message.attempt < 3) throw new Error(`${id} is not ready`);
    return id;
  });

const receipt = agent("receipt")
  .state({ printed: [] as readonly string[] })
  .event("printed", z.object({ id: z.string() }), ({ printed }, { id }) => ({
    printed: [...printed, id],
  }))
  .on("print", z.object({ id: z.string() }), (ctx, { id }) => ctx.emit.printed({ id }));

const keys = ["one", "two", "three"] as const;

export const poison: System = {
  name: "poison",
  agents: [till, receipt],
  settings: { retry: { attemptsMax: 4, delayMs: 10, delayMsMax: 100 } },
  drive: (client, stage) =>
    stage.times(16, async (index, chance) => send(client, stage, index, chance)),
  check: (history) => {
    for (const key of keys) checkKey(history, key);
    const unroutable = [...history.inputs.values()].filter(({ fault }) => fault !== undefined);
    const letters = history.deadLetters.filter(({ agent: owner }) => owner === undefined);
    assert.equal(letters.length, unroutable.length, "every unroutable message has one dead letter");
  },
};

async function send(client: Troupe, stage: Stage, index: number, chance: Chance): Promise<void> {
  const key = chance.pick(keys);
  const id = `job-${index}`;
  const foreign = (text: string): unknown =>
    stage.broker.publishForeign("agent", "till", key, new TextEncoder().encode(text));
  switch (chance.between(0, 11)) {
    case 0:
      return void foreign("{ no json");
    case 1:
      return void foreign(JSON.stringify({ work: { id, how: "unheard of" } }));
    case 2:
      return void foreign(JSON.stringify({ sleep: { id } }));
    case 3:
      return void stage.broker.publishUnroutable();
    case 4:
      return void stage.broker.publishForeign("agent", "till", "bad%zz", new Uint8Array([1]));
    case 5:
      return askRejected(client, key, id);
    case 6:
      return void (await client.send(till, key).work({ id, how: "throws" }));
    case 7:
    case 8:
      return void (await client.send(till, key).work({ id, how: "shaky" }));
    case 9:
      return void foreign(JSON.stringify({ work: { id, how: "good" } }));
    default:
      return void (await client.send(till, key).work({ id, how: "good" }));
  }
}

async function askRejected(client: Troupe, key: string, id: string): Promise<void> {
  const asked = client.agent(till, key, { timeoutMs: 600_000 }).work({ id, how: "rejected" });
  await assert.rejects(asked, (thrown) => {
    assert.ok(thrown instanceof Reject, String(thrown));
    assert.deepEqual([thrown.reason, thrown.data], ["unwanted", { id }]);
    return true;
  });
}

/**
 * Checks that what is done is what was sent and is not bad, and that only for that a receipt is
 * printed.
 */
function checkKey(history: History, key: string): void {
  const expected: string[] = [];
  for (const { record } of history.turns(till, key)) {
    const input = history.inputs.get(record.inputPosition);
    assert.ok(input !== undefined);
    const id = goodJob(history, input);
    if (id !== undefined) expected.push(id);
    assert.equal(record.failure === undefined, id !== undefined, `${key}: turn ${record.turn}`);
    if (record.failure?.code === "handler-failed") assert.equal(record.attempts, 4);
  }
  assert.deepEqual(history.state(till, key).done, expected, `what ${key} did`);
  assert.deepEqual(history.state(receipt, key).printed, expected, `the receipts of ${key}`);
}

function goodJob(history: History, input: Parameters<History["payload"]>[0]): string | undefined {
  try {
    const payload = history.payload(input);
    const named =
      input.metadata.message === undefined ? (payload as { work?: unknown }).work : payload;
    const { how, id } = job.parse(named);
    return how === "good" || how === "shaky" ? id : undefined;
  } catch {
    return undefined;
  }
}
