/**
 * A log of one shard moves into several: every position stays, and each message is in its shard.
 */
import { agent, agentNamed, memoryModel, memorySink, projection, type Troupe } from "@troupe/core";
import { fitsLog, shardOfKey, shardSpan } from "@troupe/core/log";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { connect, moveLog } from "../index.ts";
import { startNatsServer, type NatsServer } from "../server/index.ts";

const note = z.object({ text: z.string() });
const book = agent("book")
  .state({ notes: [] as string[] })
  .event("noted", note, ({ notes }, { text }) => ({ notes: [...notes, text] }))
  .on("note", note, (context, { text }) => {
    if (text === "bad") throw new Error("never");
    context.emit.noted({ text });
    return context.state.notes.length;
  })
  .on("pass", z.object({ to: z.string(), ms: z.number() }), (context, { ms, to }) => {
    const target = agentNamed("book");
    if (ms === 0) context.send(target, to)["note"]?.({ text: `from ${context.agent.key}` });
    else {
      const at = { agent: target, key: to, id: `to ${to}` };
      context.after(ms, at)["note"]?.({ text: `late from ${context.agent.key}` });
    }
  });

let server: NatsServer;
let closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startNatsServer();
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});
afterAll(() => server.stop());

async function join(namespace: string, options: object = {}): Promise<Troupe> {
  const troupe = await connect({ servers: server.url, namespace, ...options });
  closing.push(() => troupe.close());
  return troupe;
}

const retry = { attemptsMax: 1 } as const;
const keys = Array.from({ length: 24 }, (_, i) => `key-${i}`);
const patience = { timeout: 20_000 };

async function notesOf(troupe: Troupe, key: string): Promise<readonly string[]> {
  let notes: readonly string[] = [];
  for await (const { state } of troupe.replay(book, key)) ({ notes } = state);
  return notes;
}

const noted = projection(
  "noted",
  memoryModel(() => new Map<string, number>()),
).on(book, "noted", (model, _, info) => {
  model.set(info.agent.key, (model.get(info.agent.key) ?? 0) + 1);
});

test("records, inputs, dead letters, timers and checkpoints are where they belong", async () => {
  const old = await join("one", { partitions: 8 });
  const worker = await old.work(book, { retry });
  await Promise.all(keys.map((key) => old.agent(book, key).note({ text: "first" })));
  const sink = memorySink();
  const before = await old.project(noted, sink);
  await before.caughtUp();
  await before.stop();
  const { position: bad } = await old.send(book, "key-2").note({ text: "bad" });
  await old.send(book, "key-3").pass({ to: "key-4", ms: 4000 });
  const turns = (): Promise<unknown[]> => Array.fromAsync(old.turns("book", "key-3"));
  await expect.poll(turns, patience).toHaveLength(2);
  await worker.stop();
  await old.send(book, "key-5").note({ text: "waits" });
  const records = await Promise.all(keys.map((key) => old.log.journal({ type: "book", key }, 0)));

  const move = { servers: server.url, namespace: "one", to: "four", partitions: 32, shards: 4 };
  const report = await moveLog(move);
  expect(report.shards.reduce((sum, each) => sum + each, 0)).toBe(report.messages);
  expect(report).toMatchObject({ timers: 1, log: old.log.id });
  const moved = await join("four");
  expect([moved.log.partitions, moved.log.shards]).toEqual([32, 4]);
  expect(await Promise.all(keys.map((key) => moved.log.journal({ type: "book", key }, 0)))).toEqual(
    records,
  );
  expect((await moved.log.input(bad))?.address.key).toBe("key-2");

  // The other shards have nothing where the log ended that could be taken for it.
  expect((await moved.log.at(report.last))?.storedAtMs).toBe(
    (await old.log.at(report.last))?.storedAtMs,
  );
  const floors = await moved.log.floors();
  const fits = floors.flatMap(({ mark }) => (mark === undefined ? [] : fitsLog(moved.log, mark)));
  expect(await Promise.all(fits)).toEqual(floors.map(() => true));
  expect(floors.some(({ position }) => position > 0)).toBe(true);

  await moved.work(book, { retry });
  await expect.poll(() => notesOf(moved, "key-5"), patience).toEqual(["first", "waits"]);
  await expect.poll(() => notesOf(moved, "key-4"), patience).toEqual(["first", "late from key-3"]);
  for (const key of keys) {
    await moved.agent(book, key).note({ text: "second" });
    const last = (await moved.log.journal({ type: "book", key }, report.last)).at(-1);
    expect(last?.revision).toBeGreaterThan(report.last);
    expect(Math.floor((last?.revision ?? 0) / shardSpan)).toBe(shardOfKey(moved.log, key));
  }
  const after = await moved.project(noted, sink);
  await after.caughtUp();
  const counts = sink.read(noted);
  expect(keys.map((key) => counts.get(key))).toEqual(
    keys.map((key) => (["key-4", "key-5"].includes(key) ? 3 : 2)),
  );
  await after.stop();
  // It goes on from a place in each shard.
  await moved.agent(book, "key-7").note({ text: "third" });
  const again = await moved.project(noted, sink);
  await again.caughtUp();
  expect(sink.read(noted).get("key-7")).toBe(3);
  expect(again.applied).toBe(1);
  await again.stop();
});

test("what cannot be shared out, and what has shards already, is refused before anything is made", async () => {
  await join("ten", { partitions: 10 });
  const move = { servers: server.url, namespace: "ten", to: "tens", partitions: 40, shards: 4 };
  await expect(moveLog(move)).rejects.toMatchObject({ code: "move-refused" });
  await expect(moveLog({ ...move, partitions: 42 })).rejects.toMatchObject({ code: "definition" });
  await join("many", { partitions: 4, shards: 2 });
  const out = moveLog({ servers: server.url, namespace: "many", to: "fewer" });
  await expect(out).rejects.toThrow(/has 2 shards, and a log moves out of one only/);
  const { log } = await join("ten");
  const address = { kind: "agent", name: "book", key: "a" } as const;
  expect(await log.accept({ address, metadata: {}, payload: Buffer.from("{}") })).toMatchObject({
    duplicate: false,
  });
});
