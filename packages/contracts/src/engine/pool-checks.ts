/**
 * Pools: workers that host different sets of types. Each reads what is for its own, so one pool
 * beside another, or in place of it, loses nothing and does nothing twice (I2, I4).
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { topic } from "@troupe/core";
import { partitionOf, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { anything, ledger, noteSchema, recordsOf } from "./ledger.ts";
import { type Host, Stage } from "./stage.ts";

const news = topic("news", noteSchema);
const unrelated = topic("unrelated", anything<number>());
const keys = range(8).map((i) => `key-${i}`);

/** Notes what it is sent, and the news. */
function reporter(type: string): AgentDefinition {
  const book = ledger(() => nextTurnOfTheLoop(), type);
  return book.subscribe(news, (context, note) => context.emit.noted(note));
}

const [first, second, third] = [reporter("first"), reporter("second"), reporter("third")];

export const poolChecks: readonly LogCheck[] = [
  {
    name: "pools of different types, replaced by others under load, handle everything once, in order",
    async run(harness) {
      await using stage = new Stage(harness);
      const pools = [
        await stage.host([first], { id: "only-first" }),
        await stage.host([second, third], { id: "second-and-third" }),
      ];
      const log = await stage.log();
      let rounds = 0;
      const replaced = new AbortController();
      const load = async (): Promise<void> => {
        while (!replaced.signal.aborted) {
          await Promise.all(keys.map((key) => round(log, key, rounds)));
          rounds += 1;
        }
      };
      const later = async (host: Host): Promise<void> => {
        const seen = host.heard.of("turn.committed").length;
        await host.heard.has("turn.committed", seen + 30);
      };
      const replace = async (): Promise<void> => {
        for (const pool of pools) await later(pool);
        const both = await stage.host([first, second], { id: "first-and-second" });
        await pools[0]?.worker.stop();
        await later(both);
        // A pool that is gone without a word, for one with other types.
        pools[1]?.crash();
        const last = await stage.host([third, first], { id: "third-and-first" });
        await later(last);
        await later(both);
        replaced.abort();
      };
      await Promise.all([load(), replace()]);
      for (const type of ["first", "second", "third"])
        for (const key of keys) await handledInOrder(stage, log, type, key);
    },
  },
  {
    name: "the floor of a type that nobody writes to follows the log, and its first message comes",
    async run(harness) {
      await using stage = new Stage(harness);
      const pool = await stage.host([first], { id: "quiet", floorIntervalMs: 20 });
      await stage.host([second], { id: "busy" });
      const log = await stage.log();
      const source = partitionOf(log, "alice");
      const publish = (i: number): Promise<unknown> =>
        log.accept({
          address: { kind: "topic", name: unrelated.name, key: `key-${i}` },
          metadata: {},
          payload: Buffer.from("1"),
        });
      await Promise.all(range(1500).map(publish));
      const note = { text: "hello" };
      const client = await stage.client();
      await client.agent(ledger(undefined, "second"), "alice").note(note);
      const { last } = await log.end();
      const floorOf = async (): Promise<number> => {
        const floors = await log.floors();
        const own = floors.find(({ partition, type }) => type === "first" && partition === source);
        return own?.mark === undefined ? 0 : own.position;
      };
      await stage.until("the floor follows", async () => (await floorOf()) >= last - 10);
      assert.equal(await client.agent(ledger(undefined, "first"), "alice").note(note), 1);
      assert.deepEqual(pool.heard.of("fault"), []);
    },
  },
];

/** A message for each, one for all, and one that nobody handles, of one key. */
async function round(log: Log, key: string, i: number): Promise<void> {
  const payload = Buffer.from(JSON.stringify({ text: `${i}` }));
  const metadata = { contentType: "application/json" } as const;
  const send = (name: string): Promise<unknown> => {
    const address = { kind: "agent", name, key } as const;
    return log.accept({ address, metadata: { ...metadata, message: "note" }, payload });
  };
  const publish = (name: string): Promise<unknown> =>
    log.accept({ address: { kind: "topic", name, key }, metadata, payload });
  await Promise.all([
    ...["first", "second", "third"].map(send),
    publish("news"),
    publish("unrelated"),
  ]);
}

/** Every input of the agent has one turn, in log order. */
async function handledInOrder(stage: Stage, log: Log, type: string, key: string): Promise<void> {
  const inputs: number[] = [];
  for (;;) {
    const page = await log.inputsOf({ type, key }, ["news"], inputs.at(-1) ?? 0, Infinity);
    if (page.length === 0) break;
    inputs.push(...page.map(({ position }) => position));
  }
  const turns = async (): Promise<number[]> =>
    (await recordsOf(log, key, type)).map(({ inputPosition }) => inputPosition);
  const what = `all of ${type}/${key} is handled`;
  await stage.until(what, async () => (await turns()).length >= inputs.length);
  assert.deepEqual(await turns(), inputs);
}
