/**
 * A log of four shards: batons go round a ring of agents that lie in all of them, while workers and
 * whoever moves the log are killed. Nothing is lost, nothing comes twice.
 */
import { randomUUID } from "node:crypto";

import { TroupeError } from "@troupe/core";
import { encodePayload, shardOfKey, type InputDraft, type Log } from "@troupe/core/log";
import { connect, connectLog, type MoveReport } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startMoving } from "./move/move-program-settings.ts";
import { startRingWorker } from "./ring/ring-worker-settings.ts";
import { ringAgent, ringSize, type Baton } from "./ring/ring.ts";

vi.setConfig({ testTimeout: 240_000 });

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server?.stop());

const hopsMax = 11;
const patience = { timeout: 60_000, interval: 100 } as const;
const range = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

/** The same message until it is stored, wherever the log is. */
async function begin(runs: readonly number[], log: Log, moved?: () => Promise<Log>): Promise<Log> {
  let at = log;
  for (const run of runs) {
    const baton: Baton = { run, hop: 0, hopsMax };
    const address = { kind: "agent", name: "ring", key: String(run % ringSize) } as const;
    const metadata = { id: randomUUID(), message: "take", contentType: "application/msgpack" };
    const draft = { address, metadata, payload: encodePayload(baton) } as InputDraft;
    for (let isStored = false; !isStored;) {
      try {
        await at.accept(draft);
        isStored = true;
      } catch (thrown) {
        if (!(thrown instanceof TroupeError && thrown.retryable)) throw thrown;
        if (thrown.code === "log-moved" && moved !== undefined) at = await moved();
      }
    }
  }
  return at;
}

/** Numbers that each agent has seen, as its journal says. */
async function seenIn(namespace: string): Promise<ReadonlyMap<string, readonly string[]>> {
  await using troupe = await connect({ servers: server.url, namespace, onFault: false });
  const seen = new Map<string, readonly string[]>();
  for (const key of range(ringSize).map(String)) {
    let last: readonly string[] = [];
    for await (const { state } of troupe.replay(ringAgent, key)) last = state.seen;
    seen.set(key, last);
  }
  return seen;
}

function expectedOf(runs: number): ReadonlyMap<string, readonly string[]> {
  const expected = new Map(range(ringSize).map((key) => [String(key), [] as string[]]));
  for (const run of range(runs))
    for (const hop of range(hopsMax + 1))
      expected.get(String((run + hop) % ringSize))?.push(`${run}.${hop}`);
  return expected;
}

const sorted = (all: ReadonlyMap<string, readonly string[]>): unknown =>
  [...all].map(([key, seen]) => [key, seen.toSorted()]);
const countOf = (all: ReadonlyMap<string, readonly string[]>): number =>
  [...all.values()].reduce((sum, seen) => sum + seen.length, 0);

async function expectAll(namespace: string, runs: number): Promise<void> {
  const expected = expectedOf(runs);
  const count = async (): Promise<number> => countOf(await seenIn(namespace));
  await expect
    .poll(count, { timeout: 150_000, interval: 500 })
    .toBeGreaterThanOrEqual(countOf(expected));
  expect(sorted(await seenIn(namespace))).toEqual(sorted(expected));
}

test("what goes through all shards comes once, while workers are killed", async () => {
  const namespace = "ring4";
  const log = await connectLog({ servers: server.url, namespace, partitions: 16, shards: 4 });
  const keys = range(ringSize).map(String);
  expect(new Set(keys.map((key) => shardOfKey(log, key))).size, "the ring is in all shards").toBe(
    4,
  );
  const settings = { url: server.url, namespace };
  await using first = await startRingWorker({ ...settings, id: "first" });
  await using second = await startRingWorker({ ...settings, id: "second" });
  await begin(range(80), log);
  await expect.poll(async () => countOf(await seenIn(namespace)), patience).toBeGreaterThan(20);
  await first.kill();
  await begin(range(80, 80), log);
  await using third = await startRingWorker({ ...settings, id: "third" });
  await second.kill();
  await begin(range(80, 160), log);
  await expectAll(namespace, 240);
  void third;
  await log.close();
});

test("a log of 16 partitions in one shard moves into 64 in four, killed on the way", async ({
  annotate,
}) => {
  const [from, to] = ["ring1", "ring64"];
  const open = (namespace: string): Promise<Log> =>
    connectLog({ servers: server.url, namespace, startTimeoutMs: 120_000 });
  const settings = { url: server.url, from, to, partitions: 64, shards: 4 };
  let log = await open(from);
  await using old = await startRingWorker({ url: server.url, namespace: from, id: "old" });
  await begin(range(100), log);
  await expect.poll(async () => countOf(await seenIn(from)), patience).toBeGreaterThan(50);
  for (const step of ["copy", "compare", "freeze"]) {
    await using mover = await startMoving(settings);
    await mover.said(step);
    await mover.kill();
  }
  const going = begin(range(100, 100), log, () => open(to));
  await using last = await startMoving(settings);
  await using moved = await startRingWorker({ url: server.url, namespace: to, id: "moved" });
  const report = (await last.said("moved"))["report"] as MoveReport;
  log = await going;
  await using other = await startRingWorker({ url: server.url, namespace: to, id: "other" });
  await begin(range(100, 200), log.shards === 4 ? log : await open(to));
  await other.kill();
  await expectAll(to, 300);
  expect(report.shards).toHaveLength(4);
  expect(report.shards.reduce((sum, each) => sum + each, 0)).toBe(report.messages);
  expect(report.partitions).toEqual({ before: 16, after: 64 });
  await annotate(
    `${report.messages} messages in ${report.shards.join(", ")}, digest ${report.digest}, paused ${report.pausedMs} ms`,
  );
  void [old, moved];
});
