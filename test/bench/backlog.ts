/**
 * A worker that comes to a long backlog: how fast it catches up, and whether its memory stays flat
 * meanwhile. What is flat is judged on the resident set after the first quarter of the work, by the
 * means of the second and of the last quarter: collectors breathe.
 */
import type { Bench, Benchmark } from "./benchmark.ts";
import { flood } from "./flood.ts";
import { atMost } from "./goal.ts";
import type { BenchRow } from "./measure.ts";
import { measured, unmeasured } from "./measure.ts";
import { meanOf } from "./mean.ts";
import { untilHandled } from "./until-handled.ts";
import type { Sample } from "./until-handled.ts";

export const backlog: Benchmark = {
  name: "backlog",
  what: "A worker process catches up with a backlog: speed, and growth of its memory.",
  parts: [
    { rows: "backlog", run: manyMessages, minutesMax: 6 },
    { rows: "keys", run: manyKeys, minutesMax: 8 },
  ],
};

function manyMessages(bench: Bench): Promise<readonly BenchRow[]> {
  const count = bench.quick ? 100_000 : 1_000_000;
  return caughtUp(bench, { name: "backlog", count, keys: 10_000, activationsMax: 100_000 });
}

/** As many keys as messages, and the bound on activations a tenth of them. */
function manyKeys(bench: Bench): Promise<readonly BenchRow[]> {
  const count = bench.quick ? 100_000 : 1_000_000;
  return caughtUp(bench, { name: "keys", count, keys: count, activationsMax: count / 10 });
}

interface Backlog {
  readonly name: string;
  readonly count: number;
  readonly keys: number;
  readonly activationsMax: number;
}

async function caughtUp(
  { progress, stage }: Bench,
  { count, keys, name, activationsMax }: Backlog,
): Promise<readonly BenchRow[]> {
  const { namespace } = await stage.freshLog();
  const options = { activationsMax };
  const settings = { namespace, options, isHeldBack: true };
  await using worker = await stage.startWorker(settings);
  await flood(stage.raw, { namespace, keys, count });
  progress(`${count} messages for ${keys} keys are stored`);
  worker.tell("go");
  const samples = await untilHandled(worker, count);
  const seconds = samples.at(-1)?.atSeconds ?? Number.NaN;
  const rss = samples.map(({ rssBytes }) => rssBytes / 2 ** 20);
  progress(
    `${Math.round(count / seconds)} turns/s, RSS at most ${Math.round(Math.max(...rss))} MiB`,
  );
  const versus = `${count} messages waiting, ${keys} keys, activationsMax ${activationsMax}`;
  return [
    measured({ name: `${name}-rate`, unit: "turns/s", ours: count / seconds, versus }),
    measured({ name: `${name}-rss-largest`, unit: "MiB", ours: Math.max(...rss), versus }),
    growthRow(`${name}-rss-growth`, samples, count, versus),
  ];
}

function growthRow(
  name: string,
  samples: readonly Sample[],
  count: number,
  versus: string,
): BenchRow {
  const quarter = (number: number): number[] =>
    samples
      .filter(({ deposits }) => Math.min(3, Math.floor((deposits / count) * 4)) === number)
      .map(({ rssBytes }) => rssBytes);
  const [second, last] = [quarter(1), quarter(3)];
  if (second.length === 0 || last.length === 0) {
    return unmeasured(name, "it caught up before its memory could be looked at", null);
  }
  const growth = (meanOf(last) / meanOf(second) - 1) * 100;
  return measured({ name, unit: "%", ours: growth, versus, goal: atMost(10) });
}
