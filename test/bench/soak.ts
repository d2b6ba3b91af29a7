/**
 * Hours under a steady load: the worker's memory stays flat and it never falls behind. Runs only
 * when it is named, for as many minutes as it is told.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { Bench, Benchmark } from "./benchmark.ts";
import { atMost } from "./goal.ts";
import { meanOf } from "./mean.ts";
import type { BenchRow } from "./measure.ts";
import { measured } from "./measure.ts";
import { startPacedLoad } from "./paced-load.ts";
import { accountOf } from "./worker-process-settings.ts";

export const soak: Benchmark = {
  name: "soak",
  what: "A worker process under a steady load for --minutes: growth of its memory and its lag.",
  isOptIn: true,
  parts: [{ rows: "soak", run: steady, minutesMax: "as told" }],
};

const perSecond = 1000;
const samplesWanted = 200;

interface Sample {
  readonly rssBytes: number;
  /** Messages sent and not handled. */
  readonly lag: number;
}

async function steady({ minutes, progress, stage }: Bench): Promise<readonly BenchRow[]> {
  const { namespace } = await stage.freshLog();
  const worker = await stage.startWorker({ namespace });
  const load = startPacedLoad(stage.raw, { namespace, keys: 10_000, perSecond });
  const samples: Sample[] = [];
  for (let number = 1; number <= samplesWanted; number++) {
    await sleep((minutes * 60_000) / samplesWanted);
    const { deposits, rssBytes } = await accountOf(worker);
    const sample = { rssBytes, lag: Math.max(0, load.sent - deposits) };
    samples.push(sample);
    if (number % 10 === 0) {
      const mib = Math.round(rssBytes / 2 ** 20);
      progress(`${(number * 100) / samplesWanted} %: RSS ${mib} MiB, lag ${sample.lag}`);
    }
  }
  load.stop();
  const quarter = samplesWanted / 4;
  const [second, last] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  const rss = (some: readonly Sample[]): number => meanOf(some.map(({ rssBytes }) => rssBytes));
  const lag = (some: readonly Sample[]): number => meanOf(some.map((sample) => sample.lag));
  const versus = `${minutes} minutes, ${perSecond} messages a second over 10000 keys; growth from the second to the last quarter`;
  const row = (name: string, unit: string, ours: number, most?: number): BenchRow =>
    measured({ name, unit, ours, versus, goal: most === undefined ? undefined : atMost(most) });
  return [
    row("soak-rss-last", "MiB", rss(last) / 2 ** 20),
    row("soak-rss-growth", "%", (rss(last) / rss(second) - 1) * 100, 10),
    row("soak-lag-largest", "msgs", Math.max(...samples.map((sample) => sample.lag))),
    // A second's worth is a sample at a bad moment; more is a worker that falls behind.
    row("soak-lag-growth", "msgs", lag(last) - lag(second), perSecond),
  ];
}
