/**
 * Time that a key is without a worker when its own one is killed or stopped. Two worker processes
 * share all partitions; one ends, and one key of each of its partitions is asked again and again
 * until the other one answers.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { createTroupe } from "@troupe/core";
import { partitionOfToken } from "@troupe/core/log";
import type { Troupe } from "@troupe/core";

import type { Program } from "../e2e/program.ts";
import { CannotRunError } from "./benchmark.ts";
import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { atMost } from "./goal.ts";
import { quantiles } from "./latency.ts";
import { account } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { measured } from "./measure.ts";
import { accountOf } from "./worker-process-settings.ts";

export const failover: Benchmark = {
  name: "failover",
  what: "From the end of a worker process to the first turn of its keys in another one.",
  parts: [
    { rows: "failover-kill", run: afterKill },
    { rows: "failover-stop", run: afterStop },
  ],
};

type End = (victim: Program) => Promise<void>;

async function afterKill(bench: Bench): Promise<readonly BenchRow[]> {
  if (process.platform === "win32") throw new CannotRunError("there is no SIGKILL on Windows");
  const found = await manyTimes(bench, (victim) => victim.kill());
  const goals = { p50: atMost(1000), max: atMost(2500) };
  return rowsOf("failover-kill", found, "SIGKILL", goals);
}

async function afterStop(bench: Bench): Promise<readonly BenchRow[]> {
  if (process.platform === "win32") throw new CannotRunError("there is no SIGTERM on Windows");
  const found = await manyTimes(bench, async (victim) => victim.signal("SIGTERM"));
  return rowsOf("failover-stop", found, "SIGTERM, graceful stop", { max: atMost(1000) });
}

interface Takeovers {
  readonly ends: number;
  /** Time until the other worker's first turn, in milliseconds, per key. */
  readonly tookMs: readonly number[];
  /** The longest ask of each key meanwhile. */
  readonly waitedMs: readonly number[];
}

function rowsOf(
  name: string,
  { ends, tookMs, waitedMs }: Takeovers,
  how: string,
  goals: { readonly p50?: Goal; readonly max?: Goal },
): readonly BenchRow[] {
  const versus = `${how} of ${ends} workers, ${tookMs.length} keys, default timings`;
  const took = quantiles(tookMs);
  const row = (what: string, ours: number, goal?: Goal): BenchRow =>
    measured({ name: `${name}-${what}`, unit: "ms", ours, versus, goal });
  return [
    row("p50", took.p50, goals.p50),
    row("p95", took.p95),
    row("max", took.max, goals.max),
    row("longest-ask-p50", quantiles(waitedMs).p50),
    row("longest-ask-max", quantiles(waitedMs).max),
  ];
}

async function manyTimes({ progress, quick, stage }: Bench, end: End): Promise<Takeovers> {
  const ends = quick ? 4 : 20;
  const { log, namespace } = await stage.freshLog();
  await using troupe = createTroupe(log);
  let survivor = await stage.startWorker({ namespace });
  const tookMs: number[] = [];
  const waitedMs: number[] = [];
  for (let round = 0; round < ends; round++) {
    const victim = survivor;
    survivor = await stage.startWorker({ namespace });
    const keys = await sharedKeys(victim, survivor, log.partitions);
    const taken = await takeover(troupe, { victim, survivor, keys, end });
    tookMs.push(...taken.tookMs);
    waitedMs.push(...taken.waitedMs);
    const { max, p50 } = quantiles(taken.tookMs);
    progress(`${round + 1} of ${ends}: p50 ${Math.round(p50)} ms, max ${Math.round(max)} ms`);
    await victim[Symbol.asyncDispose]();
  }
  await survivor.kill();
  return { ends, tookMs, waitedMs };
}

/** A key of every partition of the victim, once both hold half of all. */
async function sharedKeys(
  victim: Program,
  survivor: Program,
  partitions: number,
): Promise<readonly string[]> {
  for (;;) {
    const [{ partitions: of }, { partitions: others }] = await Promise.all([
      accountOf(victim),
      accountOf(survivor),
    ]);
    if (of.length === partitions / 2 && others.length === partitions / 2) {
      return of.map((partition) => keyOf(partition, partitions));
    }
    await sleep(20);
  }
}

function keyOf(partition: number, partitions: number): string {
  for (let number = 0; ; number++) {
    const key = `key-${number}`;
    if (partitionOfToken(key, partitions) === partition) return key;
  }
}

async function takeover(
  troupe: Troupe,
  who: {
    readonly victim: Program;
    readonly survivor: Program;
    readonly keys: readonly string[];
    readonly end: End;
  },
): Promise<Pick<Takeovers, "tookMs" | "waitedMs">> {
  const { end, keys, survivor, victim } = who;
  await Promise.all(keys.map((key) => troupe.agent(account, key).where({})));
  const endedAt = performance.now();
  await end(victim);
  const found = await Promise.all(
    keys.map(async (key) => {
      let longestMs = 0;
      for (;;) {
        const askedAt = performance.now();
        const pid = await troupe.agent(account, key).where({});
        const now = performance.now();
        longestMs = Math.max(longestMs, now - askedAt);
        if (pid === survivor.pid) return { tookMs: now - endedAt, waitedMs: longestMs };
        // A stopping worker still answers; it must not be kept busy by being asked.
        await sleep(1);
      }
    }),
  );
  return {
    tookMs: found.map(({ tookMs }) => tookMs),
    waitedMs: found.map(({ waitedMs }) => waitedMs),
  };
}
