/** A single broker with file storage, killed with SIGKILL, paused, and started again under load. */
import { setTimeout as sleep } from "node:timers/promises";

import { startNatsServer } from "@troupe/jetstream/server";

import type { ScenarioResult } from "./scenario-result.ts";
import { countFor, type ScenarioRun } from "./scenario.ts";
import { between, type Random } from "./seeded-random.ts";
import { talliesUnderChaos } from "./tallies-under-chaos.ts";

export async function singleBroker(run: ScenarioRun): Promise<ScenarioResult> {
  await using server = await startNatsServer();
  let brokerKills = 0;
  const outage = async (random: Random): Promise<void> => {
    await server.kill();
    brokerKills += 1;
    await sleep(between(random, 0, 1500));
    await server.restart();
  };
  let brokerPauses = 0;
  const pause = async (random: Random): Promise<void> => {
    brokerPauses += 1;
    process.kill(server.pid, "SIGSTOP");
    await sleep(between(random, 500, 4000));
    process.kill(server.pid, "SIGCONT");
  };
  // A broker that is gone can be neither killed nor paused.
  let last = Promise.resolve();
  const inTurn = (fault: (random: Random) => Promise<void>, random: Random): Promise<void> => {
    last = last.then(() => fault(random));
    return last;
  };
  return await talliesUnderChaos(run, {
    scenario: "single",
    servers: [server.url],
    replicas: 1,
    messagesPerSecond: 1000,
    workerKillsPerMinute: 30,
    workerPausesPerMinute: 4,
    brokerFaults: [
      { name: "broker kills", count: countFor(6, run), fault: (random) => inTurn(outage, random) },
      { name: "pauses", count: countFor(2, run), fault: (random) => inTurn(pause, random) },
    ],
    brokerCounts: () => ({ brokerKills, brokerPauses, leaderKills: 0, nodesWiped: 0 }),
  });
}
