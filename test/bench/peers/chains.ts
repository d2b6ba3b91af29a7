/**
 * Troupe against other systems on agents that send to each other: tokens through chains of five
 * agents, each of which keeps a count and sends the token on. A token has arrived when the fifth
 * agent has it, on both sides.
 */
import type { Bench, BenchmarkPart } from "../benchmark.ts";
import type { Chain } from "../chain.ts";
import { ourChain } from "../chain.ts";
import { quantiles } from "../latency.ts";
import { windowed } from "../ledger.ts";
import type { BenchRow } from "../measure.ts";
import { match } from "../measure.ts";
import { installPeers } from "./install.ts";
import type { ChainOrder, ChainRound } from "./peer.ts";
import { chainLength } from "./peer.ts";
import { openPeerProcess } from "./peer-process.ts";

const opponents = [
  { adapter: "restate", versus: "Restate virtual objects" },
  {
    adapter: "autogen-local",
    versus: "AutoGen in one process, which keeps everything in memory",
  },
  {
    adapter: "autogen-grpc",
    versus: "AutoGen across processes by gRPC, which keeps everything in memory",
  },
] as const;

export const chainContests: readonly BenchmarkPart[] = opponents.map((opponent) => {
  const rows = `peer-chain-${opponent.adapter}`;
  return { rows, minutesMax: 20, run: (bench) => against(bench, rows, opponent) };
});

async function against(
  bench: Bench,
  name: string,
  { adapter, versus }: (typeof opponents)[number],
): Promise<readonly BenchRow[]> {
  const { progress, quick, stage } = bench;
  await installPeers(progress);
  const peer = await openPeerProcess(adapter, { natsUrl: stage.url });
  try {
    await using ours = await ourChain(bench);
    const race = async (
      who: string,
      run: (order: ChainOrder) => Promise<ChainRound>,
    ): Promise<Record<"p50" | "p99" | "rate", number>> => {
      const alone = await run({ passes: quick ? 100 : 300, inFlight: 1 });
      const { p50, p99 } = quantiles(alone.tookMs);
      const passes = quick ? 1000 : 4000;
      const { seconds } = await run({ passes, inFlight: 256 });
      const rate = (passes * chainLength) / seconds;
      progress(
        `${who.padEnd(8)} p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${Math.round(rate)} turns/s`,
      );
      return { p50, p99, rate };
    };
    const latency = { unit: "ms", better: "less" } as const;
    return await match({
      versus: `${versus}. ${peer.versions}; five agents in a row, one token at a time, then 256; durability: ${peer.durability}`,
      rounds: quick ? 2 : 3,
      disciplines: {
        p50: { name: `${name}-1-p50`, ...latency },
        p99: { name: `${name}-1-p99`, ...latency },
        rate: { name: `${name}-256`, unit: "turns/s", better: "more" },
      },
      ours: () => race("ours", (order) => passed(ours, order)),
      theirs: () => race("theirs", (order) => peer.chain(order)),
    });
  } finally {
    await peer.close();
  }
}

async function passed(chain: Chain, { inFlight, passes }: ChainOrder): Promise<ChainRound> {
  const tookMs: number[] = [];
  const startedAt = performance.now();
  await windowed(passes, inFlight, async (token) => {
    const sentAt = performance.now();
    await chain.pass(token);
    tookMs.push(performance.now() - sentAt);
  });
  return { seconds: (performance.now() - startedAt) / 1000, tookMs };
}
