/** A log that moves into another namespace is the same log there, with other partitions. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { agent, memoryModel, memorySink, projection, topic, type Troupe } from "@troupe/core";
import { keyToToken, partitionOfToken, type DeadLetter, type Log } from "@troupe/core/log";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { connect, connectLog, moveLog, type MoveProgress } from "../index.ts";
import { startNatsServer, type NatsServer } from "../server/index.ts";

const news = topic("news", z.object({ text: z.string() }));
const note = z.object({ text: z.string() });
const book = agent("book")
  .state({ notes: [] as string[] })
  .event("noted", note, ({ notes }, { text }) => ({ notes: [...notes, text] }))
  .on("note", note, (context, { text }) => {
    if (text === "bad") throw new Error("never");
    context.emit.noted({ text });
    return context.state.notes.length;
  })
  .on("later", z.object({ text: z.string(), ms: z.number() }), (context, { ms, text }) => {
    context.after(ms).note({ text });
  })
  .subscribe(news, (context, { text }) => context.emit.noted({ text }));

let server: NatsServer;
let client: NatsConnection;
let closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

async function join(namespace: string, partitions = 4): Promise<Troupe> {
  const troupe = await connect({ servers: server.url, namespace, partitions, onFault: false });
  closing.push(() => troupe.close());
  return troupe;
}

const retry = { attemptsMax: 1 } as const;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const keys = range(40).map((i) => `key-${i}`);
const patience = { timeout: 20_000 };

async function notesOf(troupe: Troupe, key: string): Promise<readonly string[]> {
  let notes: readonly string[] = [];
  for await (const { state } of troupe.replay(book, key)) ({ notes } = state);
  return notes;
}

test("everything is where its key belongs, at its position, and goes on from there", async () => {
  const old = await join("one");
  const worker = await old.work(book, { retry });
  await Promise.all(keys.map((key) => old.agent(book, key).note({ text: "first" })));
  await old.publish(news, "key-1", { text: "news" });
  await old.send(book, "key-2").note({ text: "bad" });
  await old.send(book, "key-3").later({ text: "much later", ms: 3000 });
  client.publish("one.agent.book.%zz", "{}");
  await expect.poll(() => notesOf(old, "key-1"), patience).toHaveLength(2);
  const letters = async (troupe: Troupe): Promise<readonly number[]> => {
    const found: number[] = [];
    const request = { from: 1, untilNow: true, kinds: ["dead-letter"] } as const;
    for await (const entry of troupe.follow(request)) {
      if (entry.kind === "dead-letter") found.push(entry.position);
    }
    return found;
  };
  await expect.poll(() => letters(old), patience).toHaveLength(2);
  const buried = await letters(old);
  const replayed = await Promise.all(keys.map((key) => old.log.journal({ type: "book", key }, 0)));
  const { last } = await old.log.end();
  await worker.stop();
  await old.send(book, "key-4").note({ text: "waits" });

  const report = await moveLog({
    servers: server.url,
    namespace: "one",
    to: "two",
    partitions: 16,
  });
  expect(report).toMatchObject({ from: "one", to: "two", log: old.log.id, timers: 1 });
  expect(report.partitions).toEqual({ before: 4, after: 16 });
  expect(report.last).toBeGreaterThan(last);

  const moved = await join("two");
  expect([moved.log.id, moved.log.partitions]).toEqual([old.log.id, 16]);
  expect(await letters(moved)).toEqual(buried);
  const same = await Promise.all(keys.map((key) => moved.log.journal({ type: "book", key }, 0)));
  expect(same).toEqual(replayed);
  await moved.work(book, { retry });
  await expect.poll(() => notesOf(moved, "key-4"), patience).toEqual(["first", "waits"]);
  await expect.poll(() => notesOf(moved, "key-3"), patience).toEqual(["first", "much later"]);
  expect(await moved.agent(book, "key-1").note({ text: "on" })).toBe(3);
  for (const key of keys) expect((await notesOf(moved, key))[0]).toBe("first");
  const input = await moved.log.end();
  expect(input.last).toBeGreaterThan(report.last);
});

test("the old namespace takes nothing any more, and says where the log is", async () => {
  const old = await join("before");
  const id = "same-id";
  const address = { kind: "agent", name: "book", key: "alice" } as const;
  const draft = { address, metadata: { id, message: "note" }, payload: Buffer.from("{}") };
  const { position } = await old.log.accept(draft);
  await moveLog({ servers: server.url, namespace: "before", to: "after" });
  await expect(old.log.accept(draft)).rejects.toMatchObject({ code: "log-moved" });
  const connecting = connectLog({ servers: server.url, namespace: "before" });
  await expect(connecting).rejects.toThrow(/moved into the namespace after/);
  // A caller tries its message again there, because it does not know whether it was stored.
  const moved = await join("after");
  expect(await moved.log.accept(draft)).toEqual({ position, duplicate: true });
  const again = moveLog({ servers: server.url, namespace: "before", to: "after" });
  await expect(again).rejects.toMatchObject({ code: "move-refused" });
});

test("who connects while it moves waits until everything is there", async () => {
  const old = await connectLog({ servers: server.url, namespace: "busy" });
  closing.push(() => old.close());
  const address = { kind: "agent", name: "book", key: "alice" } as const;
  const draft = { address, metadata: {}, payload: Buffer.from("{}") };
  const { position } = await old.accept(draft);
  let joining: Promise<Log> | undefined;
  const onProgress = ({ step }: MoveProgress): void => {
    if (step === "freeze") joining = connectLog({ servers: server.url, namespace: "calm" });
  };
  const report = await moveLog({ servers: server.url, namespace: "busy", to: "calm", onProgress });
  const moved = await joining;
  expect((await moved?.input(position))?.position).toBe(position);
  expect(moved?.partitions).toBe(report.partitions.after);
  await moved?.close();
  const next = await moveLog({ servers: server.url, namespace: "calm", to: "calmer" });
  expect(next.digest).toBe(report.digest);
});

test("positions of the old log are not used again, whatever it ended with", async () => {
  const old = await connectLog({ servers: server.url, namespace: "ends" });
  closing.push(() => old.close());
  const address = { kind: "agent", name: "book", key: "alice" } as const;
  const message = { address, metadata: { id: "t" }, payload: Buffer.from("{}") };
  const time = { atMs: Date.now() + 3_600_000 };
  const timers = range(5).map((i) => ({ kind: "set", id: `t${i}`, message, time }) as const);
  const record = Buffer.from("x");
  const alice = { type: "book", key: "alice" };
  await old.commit([{ agent: alice, expectedRevision: 0, record, outgoing: [], timers }]);
  const { last } = await old.end();
  const report = await moveLog({ servers: server.url, namespace: "ends", to: "begins" });
  expect(report).toMatchObject({ last, timers: 5, messages: 1 });
  const moved = await connectLog({ servers: server.url, namespace: "begins" });
  closing.push(() => moved.close());
  expect((await moved.accept(message)).position).toBeGreaterThan(last + 5);
});

test("a dead letter that was removed when it was copied already does not come back", async () => {
  const old = await connectLog({ servers: server.url, namespace: "letters" });
  closing.push(() => old.close());
  const letter = (inputPosition: number): DeadLetter => ({
    agent: { type: "book", key: "alice" },
    inputPosition,
    attempts: 1,
    failure: { code: "x", message: "x", retryable: false },
    payload: Buffer.from("{}"),
    contentType: undefined,
    origin: "agent/book/alice",
  });
  for (const position of [1, 2, 3]) await old.bury(letter(position));
  const move = { servers: server.url, namespace: "letters", to: "fewer" } as const;
  // A try that was given up: the server copies on.
  await expect(moveLog({ ...move, signal: AbortSignal.abort() })).rejects.toThrow("abort");
  const manager = await jetstreamManager(client);
  const copied = async (): Promise<number> =>
    (await manager.streams.info("fewer-0")).state.messages;
  await expect.poll(copied, patience).toBe(3);
  expect(await old.removeDeadLetter(2)).toBe(true);
  expect(await moveLog(move)).toMatchObject({ messages: 2, last: 3 });
  const moved = await connectLog({ servers: server.url, namespace: "fewer" });
  closing.push(() => moved.close());
  const there = await Promise.all([1, 2, 3].map((position) => moved.at(position)));
  expect(there.map((found) => found !== undefined)).toEqual([true, false, true]);
});

test("a message under a subject that no transform knows is refused before anything is frozen", async () => {
  const old = await connectLog({ servers: server.url, namespace: "odd" });
  closing.push(() => old.close());
  await client.request("odd.0.unknown.kind", "x");
  const moving = moveLog({ servers: server.url, namespace: "odd", to: "odder" });
  await expect(moving).rejects.toMatchObject({ code: "move-refused", details: { messages: 1 } });
  const connecting = connectLog({ servers: server.url, namespace: "odder", startTimeoutMs: 300 });
  await expect(connecting).rejects.toThrow(/being moved into the stream/);
  const address = { kind: "agent", name: "book", key: "alice" } as const;
  const draft = { address, metadata: {}, payload: Buffer.from("{}") };
  expect((await old.accept(draft)).position).toBe(2);
});

test("a projection goes on in the new namespace from its checkpoint", async () => {
  const old = await join("read");
  const worker = await old.work(book);
  await old.agent(book, "alice").note({ text: "a" });
  const emptyModel = memoryModel(() => new Map<string, number>());
  const counts = projection("counts", emptyModel).on(book, "noted", (model, _, info) => {
    model.set(info.agent.key, (model.get(info.agent.key) ?? 0) + 1);
  });
  const sink = memorySink();
  const before = await old.project(counts, sink);
  await before.caughtUp();
  await before.stop();
  await worker.stop();
  await moveLog({ servers: server.url, namespace: "read", to: "reread", partitions: 7 });
  const moved = await join("reread");
  await moved.work(book);
  const after = await moved.project(counts, sink);
  await moved.agent(book, "alice").note({ text: "b" });
  await after.caughtUp();
  expect(sink.read(counts).get("alice")).toBe(2);
  await after.stop();
});

test("the server's hash and ours agree for every key", async () => {
  const old = await join("hash");
  const odd = [
    "a.b",
    "größe",
    "1%2",
    "x y",
    "*",
    ">",
    "日本",
    "~resume",
    "a/b",
    "".padEnd(60, "k"),
  ];
  for (const key of odd) {
    const address = { kind: "agent", name: "book", key } as const;
    await old.log.accept({ address, metadata: { message: "note" }, payload: Buffer.from("{}") });
  }
  await moveLog({ servers: server.url, namespace: "hash", to: "rehash", partitions: 37 });
  const moved = await join("rehash");
  for (const key of odd) {
    const source = partitionOfToken(keyToToken(key), 37);
    const found = Promise.withResolvers<string>();
    const onInput = (input: { readonly address: { readonly key: string } }): void => {
      if (input.address.key === key) found.resolve(input.address.key);
    };
    const reader = moved.log.read({ source, after: 0, credit: 100, onInput });
    expect(await found.promise).toBe(key);
    await reader.stop();
  }
});
