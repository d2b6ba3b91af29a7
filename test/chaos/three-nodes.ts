/** A cluster of three with three replicas: leaders are killed, nodes wiped, workers killed. */
import { startNatsCluster } from "@troupe/jetstream/server";

import { ClusterFaults } from "./cluster-faults.ts";
import type { ScenarioResult } from "./scenario-result.ts";
import { countFor, type ScenarioRun } from "./scenario.ts";
import { talliesUnderChaos } from "./tallies-under-chaos.ts";

export async function threeNodes(run: ScenarioRun): Promise<ScenarioResult> {
  await using cluster = await startNatsCluster({ size: 3 });
  await using faults = await ClusterFaults.start(cluster, [
    "chaos-0",
    "chaos-control",
    "chaos-ingress",
  ]);
  return await talliesUnderChaos(run, {
    scenario: "three",
    servers: cluster.urls,
    replicas: 3,
    messagesPerSecond: 500,
    workerKillsPerMinute: 15,
    workerPausesPerMinute: 2,
    brokerFaults: [
      {
        name: "leader kills",
        count: countFor(4, run),
        fault: (random) => faults.killLeader(random),
      },
      {
        name: "leaders deposed",
        count: countFor(4, run),
        fault: () => faults.depose(),
      },
      {
        name: "pauses of nodes",
        count: countFor(3, run),
        fault: (random) => faults.pause(random),
      },
      { name: "wipes", count: countFor(1, run), fault: (random) => faults.wipe(random) },
    ],
    brokerCounts: () => {
      const { brokerKills, brokerPauses, leaderKills, nodesWiped } = faults;
      return { brokerKills, brokerPauses, leaderKills, nodesWiped };
    },
  });
}
