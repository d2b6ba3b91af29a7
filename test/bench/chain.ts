/**
 * Five agents in a row: each handles a message, keeps an event and sends the next one a message.
 * One token at a time tells how long a hop takes; 256 at once how many turns there are.
 *
 * A token has arrived when the handler of the fifth agent has it, for every contestant: four turns
 * that send lie behind it.
 */
import { agent, agentNamed, createTroupe } from "@troupe/core";
import { partitionCountDefault } from "@troupe/core/log";
import { z } from "zod";

import type { Bench, Benchmark } from "./benchmark.ts";
import type { Goal } from "./goal.ts";
import { ratioAtLeast } from "./goal.ts";
import { latenciesMs, quantiles } from "./latency.ts";
import { windowed } from "./ledger.ts";
import type { BenchRow, Discipline } from "./measure.ts";
import { contest, match } from "./measure.ts";
import type { RawChainCommit } from "./raw-chain.ts";
import { startRawChain } from "./raw-chain.ts";

export const chain: Benchmark = {
  name: "chain",
  what: "Five agents that send to each other, one after the other; against loops by hand that store a turn and what it sends as a batch, or as a record that contains it.",
  parts: [
    { rows: "chain-1-records", run: (bench) => oneAtATime(bench, "records") },
    { rows: "chain-1-batches", run: (bench) => oneAtATime(bench, "batches") },
    { rows: "chain-256-records", run: (bench) => manyAtOnce(bench, "records") },
    { rows: "chain-256-batches", run: (bench) => manyAtOnce(bench, "batches") },
  ],
};

const length = 5;
const text = "x".repeat(200);
const versus: Readonly<Record<RawChainCommit, string>> = {
  records: "raw loop: the record contains what it sends, which is published after it",
  batches: "raw loop: the record and what it sends are one atomic batch",
};

/** Takes a token through a chain; resolves when the last agent has it. */
export interface Chain extends AsyncDisposable {
  pass(token: number): Promise<void>;
}

async function oneAtATime(bench: Bench, commit: RawChainCommit): Promise<readonly BenchRow[]> {
  const { progress, quick } = bench;
  await using ours = await ourChain(bench);
  await using theirs = await rawChain(bench, commit);
  const round = async (who: string, passing: Chain) => {
    let number = 0;
    const call = (): Promise<void> => passing.pass(number++ % 16);
    const spread = quantiles(await latenciesMs({ count: quick ? 100 : 300, call }));
    progress(`${who} p50 ${spread.p50.toFixed(2)} ms, p99 ${spread.p99.toFixed(2)} ms`);
    return spread;
  };
  const discipline = (quantile: string, goal?: Goal): Discipline => ({
    name: `chain-1-${commit}-${quantile}`,
    unit: "ms",
    better: "less",
    goal,
  });
  return await match({
    versus: `${versus[commit]}; one at a time`,
    rounds: quick ? 2 : 5,
    disciplines: {
      p50: discipline("p50", commit === "records" ? ratioAtLeast(0.5) : undefined),
      p99: discipline("p99"),
    },
    ours: () => round("ours", ours),
    theirs: () => round(commit, theirs),
  });
}

async function manyAtOnce(bench: Bench, commit: RawChainCommit): Promise<readonly BenchRow[]> {
  const { progress, quick } = bench;
  await using ours = await ourChain(bench);
  await using theirs = await rawChain(bench, commit);
  const passes = quick ? 2000 : 6000;
  const round = async (who: string, passing: Chain): Promise<number> => {
    const startedAt = performance.now();
    await windowed(passes, inFlight, (number) => passing.pass(number));
    const rate = (passes * length) / ((performance.now() - startedAt) / 1000);
    progress(`${who} ${Math.round(rate)} turns/s`);
    return rate;
  };
  return await contest({
    name: `chain-256-${commit}`,
    unit: "turns/s",
    better: "more",
    versus: `${versus[commit]}; ${inFlight} in flight`,
    goal: commit === "records" ? ratioAtLeast(0.8) : undefined,
    rounds: quick ? 2 : 5,
    ours: () => round("ours", ours),
    theirs: () => round(commit, theirs),
  });
}

const inFlight = 256;

/** Tokens on their way, and who waits for them. */
class Tokens {
  readonly #waiting = new Map<number, () => void>();

  until(token: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(token, resolve));
  }

  arrived(token: number): void {
    const resolve = this.#waiting.get(token);
    this.#waiting.delete(token);
    resolve?.();
  }
}

const hopShape = z.object({ token: z.number(), hop: z.number(), text: z.string() });

export async function ourChain({ stage }: Pick<Bench, "stage">): Promise<Chain> {
  const tokens = new Tokens();
  const hops = agent("hop")
    .state({ count: 0 })
    .event("passed", z.object({ count: z.number() }), (_state, { count }) => ({ count }))
    .on("pass", hopShape, (context, { hop, token, ...rest }) => {
      context.emit.passed({ count: context.state.count + 1 });
      if (hop === length - 1) return tokens.arrived(token);
      const next = { ...rest, token, hop: hop + 1 };
      context.send(agentNamed("hop"), keyOf(next))["pass"]?.(next);
    });
  const { log, namespace } = await stage.freshLog();
  const troupe = createTroupe(log);
  await troupe.work(hops, { timings: { joinDelayMs: 0 } });
  return {
    async pass(number) {
      const token = number % (inFlight * 2);
      const arrived = tokens.until(token);
      await troupe.send(hops, keyOf({ token, hop: 0 })).pass({ token, hop: 0, text });
      await arrived;
    },
    async [Symbol.asyncDispose]() {
      await troupe.close();
      await stage.drop(namespace);
    },
  };
}

function keyOf({ hop, token }: { readonly token: number; readonly hop: number }): string {
  return `${token}-${hop}`;
}

export async function rawChain(
  { stage }: Pick<Bench, "stage">,
  commit: RawChainCommit,
): Promise<Chain> {
  const tokens = new Tokens();
  const loop = await startRawChain(stage.raw, {
    commit,
    length,
    text,
    partitions: partitionCountDefault,
    ended: (token) => tokens.arrived(token),
  });
  return {
    async pass(number) {
      const token = number % (inFlight * 2);
      const arrived = tokens.until(token);
      await loop.begin(token);
      await arrived;
    },
    [Symbol.asyncDispose]: () => loop.stop(),
  };
}
