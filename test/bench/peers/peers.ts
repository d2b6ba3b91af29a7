/**
 * Troupe against other systems on the same work: durable stateful turns over 1000 keys. In turns
 * (A B A B …) on one machine, each peer set up as its documentation recommends for throughput. The
 * row of a peer whose kept balances are wrong has no figures but what was wrong.
 */
import type { Bench, Benchmark, BenchmarkPart } from "../benchmark.ts";
import { ratioAtLeast } from "../goal.ts";
import type { BenchRow } from "../measure.ts";
import { contest } from "../measure.ts";
import { chainContests } from "./chains.ts";
import { installPeers } from "./install.ts";
import { ourTurns } from "./ours.ts";
import type { Clock } from "./ours.ts";
import { openPeerProcess } from "./peer-process.ts";

interface PeerContest {
  /** The module in `adapters`, and the row `peer-…`. */
  readonly adapter: string;
  readonly versus: string;
  /** @default "drain" */
  readonly clock?: Clock;
  /** Smallest ratio that is good enough. */
  readonly goal: number;
}

const contests: readonly PeerContest[] = [
  { adapter: "bullmq", versus: "BullMQ, which has no order per key", goal: 1 },
  { adapter: "restate", versus: "Restate virtual objects", clock: "arrival", goal: 20 },
  { adapter: "moleculer-many", versus: "Moleculer channels on JetStream", goal: 20 },
  {
    adapter: "moleculer-one",
    versus: "Moleculer channels on JetStream as they are by default, which is their only order",
    goal: 20,
  },
  { adapter: "nestjs-jetstream", versus: "@horizon-republic/nestjs-jetstream", goal: 1 },
  {
    adapter: "autogen-local",
    versus: "AutoGen in one process, which keeps everything in memory",
    clock: "arrival",
    goal: 5,
  },
  {
    adapter: "autogen-grpc",
    versus: "AutoGen across processes by gRPC, which keeps everything in memory",
    clock: "arrival",
    goal: 10,
  },
  { adapter: "emmett", versus: "Emmett on PostgreSQL, which has no inbox", goal: 1 },
  {
    adapter: "effect-cluster",
    versus: "Effect's cluster on PostgreSQL",
    clock: "arrival",
    goal: 1,
  },
];

export const peers: Benchmark = {
  name: "peers",
  what: "The same durable stateful turns by other systems. Installs their packages.",
  isOptIn: true,
  parts: [
    ...contests.map((each): BenchmarkPart => {
      const rows = `peer-${each.adapter}`;
      // Some peers need many times as long as we do.
      return { rows, minutesMax: 20, run: (bench) => against(bench, rows, each) };
    }),
    ...chainContests,
  ],
};

async function against(
  { progress, quick, stage }: Bench,
  name: string,
  { adapter, clock = "drain", goal, versus }: PeerContest,
): Promise<readonly BenchRow[]> {
  await installPeers(progress);
  const deposits = quick ? 5000 : 20_000;
  const tell = (who: string, perSecond: number): number => {
    progress(`${who.padEnd(8)} ${Math.round(perSecond)} turns/s`);
    return perSecond;
  };
  const peer = await openPeerProcess(adapter, { natsUrl: stage.url });
  try {
    return await contest({
      name,
      unit: "turns/s",
      better: "more",
      versus: `${versus}. ${peer.versions}; ${peer.settings}; durability: ${peer.durability}`,
      goal: ratioAtLeast(goal),
      rounds: quick ? 2 : 5,
      ours: async () => tell("ours", await ourTurns(stage, deposits, clock)),
      theirs: async () => tell("theirs", deposits / (await peer.round(deposits))),
    });
  } finally {
    await peer.close();
  }
}
