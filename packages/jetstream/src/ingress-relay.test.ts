/**
 * The relay takes every acknowledged foreign message into the log: once, in order, whatever ends.
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import type { Input, Log } from "@troupe/core/log";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { connectLog, type ConnectLogOptions } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let client: NatsConnection;
let namespace: string;
let lastNamespace = 0;
let logs: Log[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
beforeEach(async () => {
  namespace = `relay-${++lastNamespace}`;
  await Promise.all(logs.map((log) => log.close()));
  logs = [];
});

/** A connection that does not have to find out first that the server was away. */
async function dialAgain(): Promise<void> {
  await client.close();
  client = await dial({ servers: server.url });
}

async function newLog(options: Partial<ConnectLogOptions> = {}): Promise<Log> {
  const log = await connectLog({ servers: server.url, namespace, partitions: 1, ...options });
  logs.push(log);
  return log;
}

/** A process that takes in the messages of foreign clients. */
function takeIn(log: Log): () => Promise<void> {
  const reader = log.read({ source: "unroutable", after: 0, credit: 10, onInput: () => undefined });
  return () => reader.stop();
}

function seenBy(log: Log): string[] {
  const seen: string[] = [];
  const onInput = ({ payload }: Input): void => void seen.push(Buffer.from(payload).toString());
  log.read({ source: 0, after: 0, credit: 1_000_000, onInput });
  return seen;
}

async function publish(payload: string, key = "alice"): Promise<{ readonly error?: object }> {
  return (await client.request(`${namespace}.agent.account.${key}`, payload)).json();
}

const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => String(from + i));

test("without a worker they wait, also over a restart of the broker, and come in order", async () => {
  const log = await newLog();
  const seen = seenBy(log);
  for (const n of numbers(50)) await publish(n);
  await server.restart();
  await dialAgain();
  for (const n of numbers(50, 50)) await publish(n);
  expect(seen).toEqual([]);
  takeIn(log);
  await expect.poll(() => seen, { timeout: 10_000 }).toEqual(numbers(100));
});

test("several relays at once, some of which stop in between, take each message once", async () => {
  const readers = await Promise.all([newLog(), newLog(), newLog()]);
  const seen = seenBy(await newLog());
  let stops = readers.map(takeIn);
  for (const n of numbers(600)) {
    client.publish(`${namespace}.agent.account.alice`, n);
    if (Number(n) % 100 !== 99) continue;
    await stops[0]?.();
    const next = readers[((Number(n) + 1) / 100) % 3];
    stops = [...stops.slice(1), ...(next === undefined ? [] : [takeIn(next)])];
  }
  await expect.poll(() => seen.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(600);
  expect(seen).toEqual(numbers(600));
});

test("a broker that is killed in between loses and doubles nothing that was acknowledged", async () => {
  const log = await newLog();
  const seen = seenBy(log);
  takeIn(log);
  const acknowledged: string[] = [];
  for (const n of numbers(300)) {
    if (n === "150") {
      await server.kill();
      await server.restart();
      await dialAgain();
    }
    const answer = await publish(n).catch(() => ({ error: {} }));
    if (answer.error === undefined) acknowledged.push(n);
  }
  const known = (): string[] => seen.filter((n) => acknowledged.includes(n));
  await expect.poll(known, { timeout: 15_000 }).toEqual(acknowledged);
  expect(acknowledged.length).toBeGreaterThan(200);
});

test("a full ingress refuses its publishers, keeps what it has, and has room again later", async () => {
  const log = await newLog({ ingressBytesMax: 20_000 });
  const seen = seenBy(log);
  const filling = "x".repeat(1000);
  const stored: string[] = [];
  const refusals: object[] = [];
  for (const n of numbers(50)) {
    const payload = `${n} ${filling}`;
    const { error } = await publish(payload);
    if (error === undefined) stored.push(payload);
    else refusals.push(error);
  }
  const refusal = { err_code: 10077, description: "maximum bytes exceeded" };
  expect(refusals).toHaveLength(50 - stored.length);
  for (const error of refusals) expect(error).toMatchObject(refusal);
  expect(stored.length).toBeLessThan(20);
  takeIn(log);
  await expect.poll(() => seen).toEqual(stored);
  const isRoom = async (): Promise<boolean> => (await publish("room")).error === undefined;
  await expect.poll(isRoom, { timeout: 5000 }).toBe(true);
});

test("an ingress that was made anew is taken in from its beginning, and that is said", async () => {
  const log = await newLog();
  const seen = seenBy(log);
  const stop = takeIn(log);
  for (const n of numbers(10)) await publish(n);
  await expect.poll(() => seen).toEqual(numbers(10));
  await stop();
  const manager = await jetstreamManager(client);
  await manager.streams.delete(`${namespace}-ingress`);
  const other = await newLog();
  const faults: string[] = [];
  other.onFault((what, thrown) => faults.push(`${what}: ${String(thrown)}`));
  takeIn(other);
  for (const n of numbers(3, 10)) await publish(n);
  await expect.poll(() => seen).toEqual(numbers(13));
  expect(faults.join()).toMatch(/taking in foreign messages: .* was made anew/);
});

test("an ingress that is made anew under a running relay is taken in, too", async () => {
  const log = await newLog({ readerHeartbeatMs: 50 });
  const seen = seenBy(log);
  takeIn(log);
  for (const n of numbers(20)) await publish(n);
  await expect.poll(() => seen).toEqual(numbers(20));
  await (await jetstreamManager(client)).streams.delete(`${namespace}-ingress`);
  await newLog();
  for (const n of numbers(3, 20)) await publish(n);
  await expect.poll(() => seen, { timeout: 10_000 }).toEqual(numbers(23));
});

test("what the log has taken is purged from the ingress, and nothing else", async () => {
  const log = await newLog();
  const seen = seenBy(log);
  const stop = takeIn(log);
  for (const n of numbers(10)) await publish(n);
  await expect.poll(() => seen.length).toBe(10);
  const manager = await jetstreamManager(client);
  const left = async (): Promise<number> =>
    (await manager.streams.info(`${namespace}-ingress`)).state.messages;
  await expect.poll(left, { timeout: 5000 }).toBe(0);
  await stop();
  await publish("10");
  expect(await left()).toBe(1);
});
