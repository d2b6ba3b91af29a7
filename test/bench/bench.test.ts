/** The contestants really do the work that is measured, in a size that says nothing about speed. */
import { createTroupe } from "@troupe/core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { CannotRunError } from "./benchmark.ts";
import { ourChain, rawChain } from "./chain.ts";
import { fillJournals } from "./fill-journals.ts";
import { flood } from "./flood.ts";
import { account, deposit } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { measured } from "./measure.ts";
import { countReplies } from "./replies.ts";
import { runParts } from "./run-parts.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { raceRaw, raceTroupe } from "./turn-race.ts";
import { untilHandled } from "./until-handled.ts";
import { accountOf } from "./worker-process-settings.ts";

vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.[Symbol.asyncDispose]());

const race = { turns: 300, progress: () => undefined };

test.each([
  ["ours", () => raceTroupe(stage, race)],
  ["raw batches", () => raceRaw(stage, race, "batches")],
  ["raw singles", () => raceRaw(stage, race, "singles")],
])("a race of %s stores a record per turn and is measured", async (_who, run) => {
  const { storedBytes, turnsPerSecond, wireBytes } = await run();
  expect(turnsPerSecond).toBeGreaterThan(0);
  expect(storedBytes, "a record").toBeGreaterThan(150);
  expect(wireBytes, "the message, the record and the reply").toBeGreaterThan(400);
});

test.each([
  ["ours", () => ourChain({ stage })],
  ["raw batches", () => rawChain({ stage }, "batches")],
  ["raw records", () => rawChain({ stage }, "records")],
])("a chain of %s takes every token to its end, again and again", async (_who, start) => {
  await using chain = await start();
  for (const token of [1, 2, 1]) await chain.pass(token);
  expect(await Promise.all([1, 2, 3].map((token) => chain.pass(token)))).toHaveLength(3);
});

test("a filled journal is a history like any other, and goes on", async () => {
  const { log } = await stage.freshLog();
  await fillJournals(log, { keys: 3, turns: 1200, eventsPerTurn: 2 });
  await using troupe = createTroupe(log);
  const balances: number[] = [];
  for await (const { state } of troupe.replay(account, "key-2")) balances.push(state.balance);
  expect(balances).toHaveLength(1200);
  expect(balances.at(-1)).toBe(1200 * 2 * 5);
  await troupe.work(account, { timings: { joinDelayMs: 0 } });
  expect(await troupe.agent(account, "key-2").deposit(deposit)).toBe(12_005);
});

test("a worker process handles every message of a flood and tells about itself", async () => {
  const { namespace } = await stage.freshLog();
  const settings = { namespace, countsActivations: true, isHeldBack: true };
  await using worker = await stage.startWorker(settings);
  const replies = countReplies(stage.raw, 500);
  await flood(stage.raw, { namespace, keys: 50, count: 500, replyTo: replies.address });
  worker.tell("go");
  await replies.all;
  const samples = await untilHandled(worker, 500);
  expect(samples.at(-1)?.deposits).toBe(500);
  expect(await accountOf(worker)).toMatchObject({ activations: 50, activationsLargest: 50 });
  await worker.stop();
});

test("a part that fails, cannot run or does not end costs its own rows only", async () => {
  const rows: BenchRow[] = [];
  const selected = (
    name: string,
    run: () => Promise<readonly BenchRow[]>,
    minutesMax?: number,
  ) => ({
    benchmark: { name, what: "", parts: [] },
    part: { rows: name, run, minutesMax },
    wants: () => true,
  });
  const parts = [
    selected("broken", () => Promise.reject(new Error("no luck"))),
    selected("foreign", () => Promise.reject(new CannotRunError("no such system"))),
    selected("endless", () => new Promise(() => undefined), 0.0001),
    selected("fine", async () => [measured({ name: "fine", unit: "", ours: 1, versus: "" })]),
  ];
  const isWhole = await runParts(parts, {
    quick: true,
    minutes: 1,
    progress: () => undefined,
    onRows: async (more) => void rows.push(...more),
  });
  expect(isWhole).toBe(false);
  expect(rows.map(({ name, reached, versus }) => ({ name, reached, versus }))).toEqual([
    { name: "broken", reached: false, versus: "failed: no luck" },
    { name: "foreign", reached: null, versus: "cannot run here: no such system" },
    {
      name: "endless",
      reached: false,
      versus: "failed: endless took more than 0.0001 minutes and was given up.",
    },
    { name: "fine", reached: null, versus: "" },
  ]);
});
