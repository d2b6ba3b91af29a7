/**
 * Asks while the worker, a process of its own, is busy: half of the turns per second that it was
 * measured to be able to do come from somebody else meanwhile.
 */
import { createTroupe } from "@troupe/core";
import type { Troupe } from "@troupe/core";

import type { Program } from "../e2e/program.ts";
import type { Bench, Benchmark } from "./benchmark.ts";
import { flood } from "./flood.ts";
import { below } from "./goal.ts";
import type { Goal } from "./goal.ts";
import { latenciesMs, quantiles } from "./latency.ts";
import { account, deposit } from "./ledger.ts";
import type { BenchRow, Discipline } from "./measure.ts";
import { match, measured } from "./measure.ts";
import { startPacedLoad } from "./paced-load.ts";
import { countReplies } from "./replies.ts";
import type { Stage } from "./stage.ts";
import { untilHandled } from "./until-handled.ts";
import { accountOf } from "./worker-process-settings.ts";

export const halfLoad: Benchmark = {
  name: "half-load",
  what: "The latency of one ask at a time, while the worker does half of the turns that it can.",
  parts: [{ rows: "ask-half-load", run: underHalfLoad }],
};

async function underHalfLoad({ progress, quick, stage }: Bench): Promise<readonly BenchRow[]> {
  const { log, namespace } = await stage.freshLog();
  await using troupe = createTroupe(log);
  const worker = await stage.startWorker({ namespace, isHeldBack: true });
  const capacity = await capacityOf(stage, worker, namespace, quick ? 30_000 : 100_000);
  progress(`${Math.round(capacity)} turns/s is all that the worker can do`);
  const scene = { stage, troupe, worker, namespace, asks: quick ? 1000 : 5000 };
  const reached: number[] = [];
  const row = (quantile: string, goal?: Goal): Discipline => ({
    name: `ask-half-load-${quantile}`,
    unit: "ms",
    better: "less",
    goal,
  });
  const rows = await match({
    versus: "the same worker without other load",
    rounds: quick ? 2 : 5,
    disciplines: { p50: row("p50"), p95: row("p95"), p99: row("p99", below(10)) },
    async ours() {
      const { perSecond, spread } = await underLoad({ ...scene, perSecond: capacity / 2 });
      progress(`${Math.round(perSecond)} other turns/s: p99 ${spread.p99.toFixed(2)} ms`);
      reached.push(perSecond);
      return spread;
    },
    theirs: async () => quantiles(await askOften(scene)),
  });
  const versus = `other turns/s meanwhile; half of ${Math.round(capacity)} were sent`;
  // The first one warmed up.
  const ours = reached.slice(1);
  return [...rows, measured({ name: "ask-half-load-rate", unit: "turns/s", ours, versus })];
}

interface Scene {
  readonly stage: Stage;
  readonly troupe: Troupe;
  readonly worker: Program;
  readonly namespace: string;
  readonly asks: number;
}

/** Turns per second when there is always more to do. */
async function capacityOf(
  stage: Stage,
  worker: Program,
  namespace: string,
  count: number,
): Promise<number> {
  const replies = countReplies(stage.raw, count);
  await flood(stage.raw, { namespace, keys: 1000, count, replyTo: replies.address });
  const startedAt = performance.now();
  worker.tell("go");
  await replies.all;
  return (count / (performance.now() - startedAt)) * 1000;
}

function askOften({ asks, troupe }: Scene): Promise<number[]> {
  let number = 0;
  const call = (): Promise<unknown> =>
    troupe.agent(account, `key-${number++ % 100}`).deposit(deposit);
  return latenciesMs({ count: asks, call });
}

async function underLoad(scene: Scene & { readonly perSecond: number }): Promise<{
  readonly perSecond: number;
  readonly spread: ReturnType<typeof quantiles>;
}> {
  const { namespace, stage, worker } = scene;
  const before = await accountOf(worker);
  const load = startPacedLoad(stage.raw, { ...scene, namespace, keys: 1000 });
  const startedAt = performance.now();
  const spread = quantiles(await askOften(scene));
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await accountOf(worker);
  load.stop();
  // What is left must not be a load on the contestant that comes next.
  await untilHandled(worker, before.deposits + load.sent + scene.asks);
  return { perSecond: (after.deposits - before.deposits - scene.asks) / seconds, spread };
}
