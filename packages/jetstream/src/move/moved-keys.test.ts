/**
 * The keys of personal data move with the log, and no copy of one outlives its erasure (MOVE-6).
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { agent, personal, type Troupe } from "@troupe/core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { openSessions } from "../connect-log.ts";
import { connect, moveLog } from "../index.ts";
import { logMetadata } from "../log-stream.ts";
import { startNatsServer, type NatsServer } from "../server/index.ts";
import { subjects } from "../subjects.ts";
import { moveKeys } from "./moved-keys.ts";

const name = personal(z.object({ name: z.string() }), { fields: { name: "(erased)" } });
const guest = agent("guest")
  .state("nobody")
  .event("named", name, (_, { name: called }) => called)
  .on("name", name, (context, message) => context.emit.named(message))
  .on("look", z.object({}), (context) => context.state);

let server: NatsServer;
let client: NatsConnection;
let manager: JetStreamManager;
let closing: Troupe[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
  manager = await jetstreamManager(client);
});
afterEach(async () => {
  await Promise.all(closing.map((each) => each.close()));
  closing = [];
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

async function host(namespace: string): Promise<Troupe> {
  const troupe = await connect({ servers: server.url, namespace, onFault: false });
  closing.push(troupe);
  await troupe.work(guest);
  return troupe;
}

const nameOf = (troupe: Troupe, key: string): Promise<unknown> => troupe.agent(guest, key).look({});
const patience = { timeout: 20_000 };

/** Values in a stream of keys, in its order. */
async function valuesIn(stream: string): Promise<readonly Uint8Array[]> {
  const { state } = await manager.streams.info(stream);
  const found: Uint8Array[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(stream, { seq }).catch(() => null);
    if (message !== null) found.push(message.data);
  }
  return found;
}

/** Streams in whose files these bytes are. */
async function streamsWith(bytes: Uint8Array): Promise<readonly string[]> {
  // The server removes a stream's files after it has answered.
  const files = await readdir(server.storeDir, { recursive: true }).catch(() => undefined);
  if (files === undefined) return streamsWith(bytes);
  const found = new Set<string>();
  for (const file of files) {
    const content = await readFile(join(server.storeDir, file)).catch(() => Buffer.alloc(0));
    if (content.includes(Buffer.from(bytes)))
      found.add(/streams\/\.?([^/]+)/.exec(file)?.[1] ?? file);
  }
  return [...found];
}

test("keys come along; one that was erased when it was copied already is in no file, and the old ones are removed", async () => {
  const old = await host("one");
  for (const key of ["alice", "bob"]) await old.agent(guest, key).name({ name: `called ${key}` });
  const [, alice, bob] = await valuesIn("one-keys");
  if (alice === undefined || bob === undefined) throw new Error("They have no keys.");
  expect(await streamsWith(alice)).toEqual(["one-keys"]);
  const move = { servers: server.url, namespace: "one", to: "two", partitions: 32 } as const;
  // A try that was given up: the server copies on.
  await expect(moveLog({ ...move, signal: AbortSignal.abort() })).rejects.toThrow("abort");
  await expect.poll(() => streamsWith(alice), patience).toContain("two-keys");
  expect(await old.eraseKey("guest/alice")).toBe(true);
  await old.agent(guest, "carol").name({ name: "called carol" });

  // The namespace's secret, two keys and the note.
  expect(await moveLog(move)).toMatchObject({ keys: 4 });
  expect(await streamsWith(alice)).toEqual([]);
  await expect.poll(() => streamsWith(bob), patience).toEqual(["two-keys"]);
  await expect(manager.streams.info("one-keys")).rejects.toThrow(/not found/);
  await expect(old.eraseKey("guest/bob")).rejects.toMatchObject({ code: "log-moved" });
  await expect(manager.streams.info("one-keys")).rejects.toThrow(/not found/);
  const moved = await host("two");
  const names = ["alice", "bob", "carol"].map((key) => nameOf(moved, key));
  expect(await Promise.all(names)).toEqual(["(erased)", "called bob", "called carol"]);
  await moved.agent(guest, "dave").name({ name: "called dave" });
  expect(await moved.eraseKey("guest/bob")).toBe(true);
  expect(await streamsWith(bob)).toEqual([]);
});

test("keys that are made while the log is copied come along", async () => {
  const old = await host("early");
  expect(await nameOf(old, "alice")).toBe("nobody");
  const move = { servers: server.url, namespace: "early", to: "late" } as const;
  await expect(moveLog({ ...move, signal: AbortSignal.abort() })).rejects.toThrow("abort");
  await old.agent(guest, "alice").name({ name: "called alice" });
  expect(await moveLog(move)).toMatchObject({ keys: 2 });
  expect(await nameOf(await host("late"), "alice")).toBe("called alice");
});

test("an erasure that comes when the keys are copied is refused, and not lost", async () => {
  const old = await host("asked");
  await old.agent(guest, "alice").name({ name: "called alice" });
  const { first: from } = await openSessions(
    { servers: server.url, namespace: "asked", createStreams: false },
    { isMove: true },
  );
  const to = subjects("answered", 16);
  expect(await moveKeys({ from, to, signal: undefined, stalledMs: 10_000 })).toBe(2);
  await expect(old.eraseKey("guest/alice")).rejects.toMatchObject({ code: "log-moved" });
  await from.link.close();
  await moveLog({ servers: server.url, namespace: "asked", to: "answered" });
  const moved = await host("answered");
  expect(await moved.eraseKey("guest/alice")).toBe(true);
});

test("a move that ended when the old keys were gone opens the new namespace", async () => {
  const old = await host("left");
  await old.agent(guest, "alice").name({ name: "called alice" });
  const move = { servers: server.url, namespace: "left", to: "right" } as const;
  const first = await moveLog(move);
  const { config } = await manager.streams.info("right-0");
  const metadata = { ...config.metadata, [logMetadata.movingFrom]: "left" };
  await manager.streams.update("right-0", { metadata });
  expect(await moveLog(move)).toMatchObject({ keys: first.keys, digest: first.digest });
  expect(await nameOf(await host("right"), "alice")).toBe("called alice");
});
