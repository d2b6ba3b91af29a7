/** Three workers are replaced one after the other under load, as a deployment does. */
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";

import type { Program } from "./program.ts";
import { readStream, type RawStream } from "./raw-stream.ts";
import { adds } from "./tally/publish-adds.ts";
import { checkStream, nothing, type Published } from "./tally/tally-check.ts";
import { startTallyWorker } from "./tally/tally-worker-settings.ts";
import { tallyAgent } from "./tally/tally.ts";

vi.setConfig({ testTimeout: 120_000 });

const namespace = "rolling";
const keys = 40;
/** More than come before the last worker is replaced. */
const roundsMax = 5000;
/** Rounds that must be handled between two replacements, so that each one happens under load. */
const roundsBetween = 20;

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
const started: Program[] = [];
afterEach(async () => {
  for (const worker of started.splice(0)) await worker[Symbol.asyncDispose]();
});
afterAll(async () => {
  await server?.stop();
});

async function start(id: string): Promise<Program> {
  const worker = await startTallyWorker({ id, namespace, url: server.url, pausing: true });
  started.push(worker);
  return worker;
}

test("every message is handled once and in order, and every ask is answered", async ({
  annotate,
}) => {
  const workers = await Promise.all(["old-1", "old-2", "old-3"].map(start));
  await using troupe = await connect(server.url, { namespace });
  const tally = tallyAgent();
  const all = adds({ messages: keys * roundsMax, keys });
  let rounds = 0;
  const replaced = new AbortController();

  /** A round is one more number for every key; then every key says how many it has. */
  const load = async (): Promise<void> => {
    while (!replaced.signal.aborted && rounds < roundsMax) {
      rounds += 1;
      const sent = [...firstOf(all, rounds)].flatMap(([key, list]) =>
        list.slice(-1).map((add) => troupe.send(tally, key).add(add)),
      );
      await Promise.all(sent);
      const asked = [...all.keys()].map((key) => troupe.agent(tally, key).report({}));
      for (const { count } of await Promise.all(asked)) expect(count).toBe(rounds);
    }
  };
  const replace = async (): Promise<void> => {
    for (const [index, old] of workers.entries()) {
      const from = rounds;
      const enough = (): number => rounds - from;
      await expect.poll(enough, { timeout: 60_000, interval: 5 }).toBeGreaterThan(roundsBetween);
      await Promise.all([old.stop(), start(`new-${index + 1}`)]);
    }
    replaced.abort();
  };
  await Promise.all([load(), replace()]);

  expect(rounds).toBeGreaterThan(3 * roundsBetween);
  const published = firstOf(all, rounds);
  const tallied = async (): Promise<RawStream> => readStream(server.url, namespace);
  // The copies are sent by tallies and may still be on their way.
  await expect
    .poll(async () => checkStream(published, await tallied()).lost, { timeout: 30_000 })
    .toEqual([]);
  const stream = await tallied();
  expect(checkStream(published, stream)).toEqual(nothing);
  const hosts = new Set(stream.turns.map(({ record }) => record.worker));
  expect([...hosts].toSorted()).toEqual(["new-1", "new-2", "new-3", "old-1", "old-2", "old-3"]);
  await annotate(`The longest gap between two turns was ${longestGapMs(stream)} ms.`);
});

/** The first numbers of every key. */
function firstOf(published: Published, rounds: number): Published {
  return new Map([...published].map(([key, list]) => [key, list.slice(0, rounds)]));
}

/** Milliseconds in which no turn of any agent began. */
function longestGapMs({ turns }: RawStream): number {
  const times = turns.map(({ record }) => record.startedAtMs).toSorted((a, b) => a - b);
  return times.reduce((gap, time, index) => Math.max(gap, time - (times[index - 1] ?? time)), 0);
}
