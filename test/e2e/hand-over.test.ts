/**
 * Workers join, stop, die and are taken for dead: partitions move, and no turn is lost or doubled.
 */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import type { Program } from "./program.ts";
import { counterOf, readStream } from "./raw-stream.ts";
import { adds, publishAdds } from "./tally/publish-adds.ts";
import { checkStream, nothing, type Published } from "./tally/tally-check.ts";
import { accountOf, startTallyWorker } from "./tally/tally-worker-settings.ts";

vi.setConfig({ testTimeout: 120_000 });

const partitions = 16;
/** Two types in every partition. */
const everything = 2 * partitions;
const timings = { heartbeatMs: 100, deadAfterMs: 800 } as const;
const patience = { timeout: 60_000, interval: 20 } as const;

let server: NatsServer;
let client: NatsConnection;
let namespace: string;
let lastNamespace = 0;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url, noAsyncTraces: true });
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
});
beforeEach(() => {
  namespace = `moving-${++lastNamespace}`;
});

const started: Program[] = [];
afterEach(async () => {
  for (const worker of started.splice(0)) await worker[Symbol.asyncDispose]();
});

async function start(id: string, pausing = false): Promise<Program> {
  const settings = { id, namespace, url: server.url, pausing, options: { timings } } as const;
  const worker = await startTallyWorker(settings);
  started.push(worker);
  return worker;
}

/** `type/partition` of what a worker holds. */
async function held(worker: Program): Promise<string[]> {
  const { holdings } = await accountOf(worker);
  return holdings.map(({ type, partition }) => `${type}/${partition}`);
}

/** Expects that everything is held by exactly one of the workers, in equal shares. */
async function expectShared(...workers: readonly Program[]): Promise<void> {
  const share = everything / workers.length;
  const shares = (): Promise<string[][]> => Promise.all(workers.map(held));
  const fair = async (): Promise<boolean> => {
    const all = await shares();
    const names = all.flat();
    return (
      names.length === everything &&
      new Set(names).size === everything &&
      all.every(({ length }) => Math.abs(length - share) <= 2)
    );
  };
  await expect.poll(fair, patience).toBe(true);
}

/** Resolves when every input has its turn; journals also hold what is no turn. */
async function expectAllRight(published: Published): Promise<void> {
  const wrong = async (): Promise<unknown> =>
    checkStream(published, await readStream(server.url, namespace));
  await expect.poll(wrong, { ...patience, interval: 500 }).toEqual(nothing);
}

test.for([
  ["that need no time", false],
  ["that take time", true],
] as const)("partitions follow workers that join, stop and die; turns %s", async ([, pausing]) => {
  const published = adds({ messages: 6000, keys: 60 });
  const first = await start("first", pausing);
  await expectShared(first);
  let to = 0;
  const more = (): Promise<void> =>
    publishAdds(client, namespace, published, { from: to + 1, to: (to += 20) });

  const [second] = await Promise.all([start("second", pausing), more()]);
  await expectShared(first, second);
  const [third] = await Promise.all([start("third", pausing), more()]);
  await expectShared(first, second, third);
  await Promise.all([second.stop(), more()]);
  await expectShared(first, third);
  await Promise.all([third.kill(), more()]);
  await expectShared(first);
  await more();

  await expectAllRight(published);
  const { counts } = await accountOf(first);
  expect(counts["partition.released"]).toBeGreaterThan(0);
  // A worker that a busy machine holds up for a moment is taken for dead, and comes back.
  expect(counts["worker.left"]).toBeGreaterThanOrEqual(2);
  await first.stop();
});

test("a stopping worker finishes what runs and gives back the rest", async () => {
  const first = await start("first");
  await using troupe = await connect(server.url, { namespace });
  const key = "held";
  const subject = `${namespace}.agent.tally.${key}`;
  await client.request(subject, '{"hold":{"n":1,"value":1}}');
  await first.said("held");
  await client.request(subject, '{"add":{"n":2,"value":2}}');
  const second = await start("second");
  first.signal("SIGTERM");
  await first.said("stopping");
  first.tell("let go");
  await first.ended();
  await expectShared(second);

  await expectAllRight(new Map([[key, [1, 2].map((n) => ({ n, value: n }))]]));
  const turns = await Array.fromAsync(troupe.turns("tally", key));
  expect(turns.map(({ record }) => [record.worker, record.attempts])).toEqual([
    ["first", 1],
    ["second", 1],
  ]);
});

test("a worker that was only paused meets the fence when it wakes up", async () => {
  const published = adds({ messages: 9000, keys: 90 });
  const awake = await start("awake", true);
  const paused = await start("paused", true);
  await expectShared(awake, paused);
  const stored = await counterOf(client, namespace);
  const publishing = publishAdds(client, namespace, published, { to: 40 });
  await expect.poll(() => stored("*.journal.tally.*"), patience).toBeGreaterThan(1000);
  paused.signal("SIGSTOP");
  await publishing;
  await expect.poll(async () => (await held(awake)).length, patience).toBe(everything);
  await publishAdds(client, namespace, published, { from: 41, to: 60 });
  // Journals also hold what is not a turn, such as that a run began.
  const turns = (): Promise<number> => stored("*.journal.tally.*");
  await expect.poll(turns, patience).toBeGreaterThanOrEqual(60 * 90);

  paused.signal("SIGCONT");
  await publishAdds(client, namespace, published, { from: 61 });
  await expectShared(awake, paused);
  await expectAllRight(published);
  const { counts } = await accountOf(paused);
  const overlaps = (counts["commit.failed"] ?? 0) + (counts["turn.duplicate"] ?? 0);
  expect(overlaps, "what others had done meanwhile was noticed").toBeGreaterThan(0);
});
