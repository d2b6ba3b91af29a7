/** Readers on a server that is killed, paused, and lied to (LOG-3, I7). */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { inputBytes, partitionOfToken, type Input, type Log } from "@troupe/core/log";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog, subjects as subjectsOf } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

const patience = { timeout: 20_000 };
let server: NatsServer;
let namespaces = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

async function setup(
  readerHeartbeatMs = 2000,
): Promise<{ log: Log; namespace: string; source: number }> {
  const namespace = `reader${++namespaces}`;
  const log = await connectLog({ servers: server.url, namespace, readerHeartbeatMs });
  return { log, namespace, source: partitionOfToken("alice", log.partitions) };
}

async function fill(log: Log, from: number, count: number): Promise<void> {
  const address = { kind: "agent", name: "account", key: "alice" } as const;
  const accepting = Array.from({ length: count }, (_, i) => {
    const payload = Buffer.from(`${from + i}`);
    return log.accept({ address, metadata: { id: `m${from + i}` }, payload });
  });
  await Promise.all(accepting);
}

/** Each content once, positions growing. */
function expectAll(inputs: readonly Input[], count: number): void {
  const contents = inputs.map((input) => Number(Buffer.from(input.payload).toString()));
  expect(new Set(contents).size).toBe(count);
  expect(contents.length).toBe(count);
  const positions = inputs.map((input) => input.position);
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
}

test("nothing is lost or doubled while the server is killed under load", async () => {
  const { log, source } = await setup();
  const inputs: Input[] = [];
  let room = 50;
  let roomMin = room;
  const reader = log.read({
    source,
    after: 0,
    credit: room,
    onInput: (input) => {
      room--;
      roomMin = Math.min(room, roomMin);
      inputs.push(input);
      // Credit comes back later and in portions, as it does from an engine.
      if (room === 20) {
        setImmediate(() => {
          room += 30;
          reader.grant(30, 0);
        });
      }
    },
  });
  for (let round = 0; round < 3; round++) {
    const accepting = fill(log, round * 2000, 2000);
    await expect.poll(() => inputs.length, patience).toBeGreaterThan(round * 2000 + 100);
    await server.kill();
    await server.restart();
    await accepting;
  }
  await expect.poll(() => inputs.length, patience).toBe(6000);
  expectAll(inputs, 6000);
  expect(roomMin).toBeGreaterThanOrEqual(0);
  await log.close();
});

test("a reader whose consumer is deleted goes on after the last input", async () => {
  const { log, namespace, source } = await setup();
  const client = await dial({ servers: server.url });
  const inputs: Input[] = [];
  log.read({ source, after: 0, credit: 10_000, onInput: (input) => inputs.push(input) });
  for (let round = 0; round < 5; round++) {
    await fill(log, round * 100, 100);
    await deleteConsumers(client, subjectsOf(namespace, 16).stream);
  }
  await expect.poll(() => inputs.length, patience).toBe(500);
  expectAll(inputs, 500);
  await client.close();
  await log.close();
});

test("a reader keeps its consumer while its pulls are answered", async () => {
  const { log, namespace, source } = await setup();
  const client = await dial({ servers: server.url });
  await fill(log, 0, 600);
  const made: string[] = [];
  const advisories = `$JS.EVENT.ADVISORY.CONSUMER.CREATED.${subjectsOf(namespace, 16).stream}.>`;
  client.subscribe(advisories, { callback: (_, message) => void made.push(message.subject) });
  await client.flush();
  const inputs: Input[] = [];
  const reader = log.read({
    source,
    after: 0,
    credit: 10,
    creditBytes: 100_000,
    onInput: (input) => {
      inputs.push(input);
      reader.grant(1, inputBytes(input.payload.byteLength));
    },
  });
  await expect.poll(() => inputs.length, patience).toBe(600);
  expectAll(inputs, 600);
  await reader.stop();
  await client.flush();
  expect(made).toHaveLength(1);
  await client.close();
  await log.close();
});

test("a server that says nothing any more is noticed without a lost connection", async () => {
  const { log, source } = await setup(100);
  const client = await dial({ servers: server.url });
  const pulls: string[] = [];
  client.subscribe("$JS.API.CONSUMER.MSG.NEXT.>", {
    callback: (_, message) => void pulls.push(message.subject),
  });
  await client.flush();
  const inputs: Input[] = [];
  log.read({ source, after: 0, credit: 100, onInput: (input) => inputs.push(input) });
  await fill(log, 0, 3);
  await expect.poll(() => inputs.length).toBe(3);
  const before = new Set(pulls).size;
  process.kill(server.pid, "SIGSTOP");
  const silent = performance.now();
  await expect.poll(() => performance.now() - silent).toBeGreaterThan(500);
  process.kill(server.pid, "SIGCONT");
  await expect.poll(() => new Set(pulls).size, patience).toBeGreaterThan(before);
  await fill(log, 3, 3);
  await expect.poll(() => inputs.length, patience).toBe(6);
  expectAll(inputs, 6);
  await client.close();
  await log.close();
});

test("a stopped reader leaves no consumer behind", async () => {
  const { log, namespace, source } = await setup();
  const client = await dial({ servers: server.url });
  const manager = await jetstreamManager(client);
  const { stream } = subjectsOf(namespace, 16);
  const count = async (): Promise<number> =>
    (await manager.streams.info(stream)).state.consumer_count;
  const reader = log.read({ source, after: 0, credit: 1, onInput: () => undefined });
  const unready = log.read({ source, after: 0, credit: 1, onInput: () => undefined });
  await unready.stop();
  await expect.poll(count).toBeGreaterThan(0);
  await reader.stop();
  expect(await count()).toBe(0);
  await client.close();
  await log.close();
});

async function deleteConsumers(client: NatsConnection, stream: string): Promise<void> {
  const manager = await jetstreamManager(client);
  for (const { name } of await manager.consumers.list(stream).next()) {
    await manager.consumers.delete(stream, name).catch(() => undefined);
  }
}
