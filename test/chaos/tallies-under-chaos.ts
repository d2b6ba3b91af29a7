/** Tallies and copies on worker processes that die, on a broker that fails as a scenario says. */
import { connect } from "@troupe/jetstream";
import type { Troupe } from "@troupe/core";

import { copyAgent, marks, tallyAgent } from "../e2e/tally/tally.ts";
import { startTallyWorker } from "../e2e/tally/tally-worker-settings.ts";
import { Findings } from "./findings.ts";
import { JournalCheck } from "./journal-check.ts";
import { progressOf, underLoad, type FaultPlan } from "./load-phase.ts";
import { Publisher } from "./publisher.ts";
import { askMs, reported } from "./reported.ts";
import { nothingYet, type ScenarioResult } from "./scenario-result.ts";
import { countFor, type ScenarioRun } from "./scenario.ts";
import { between } from "./seeded-random.ts";
import { StallWatch } from "./stall-watch.ts";
import { Storms } from "./storms.ts";
import { readStored } from "./stream-reader.ts";
import { TallyRules } from "./tally-rules.ts";
import { upgradeUnderLoad } from "./upgrade-under-load.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Differences between a single broker and a cluster. */
export interface TallyStage {
  readonly scenario: string;
  readonly servers: readonly string[];
  readonly replicas: number;
  readonly messagesPerSecond: number;
  readonly workerKillsPerMinute: number;
  readonly workerPausesPerMinute: number;
  readonly brokerFaults: readonly FaultPlan[];
  readonly brokerCounts: () => Pick<
    ScenarioResult,
    "brokerKills" | "brokerPauses" | "leaderKills" | "nodesWiped"
  >;
}

const namespace = "chaos";
const workers = 4;
/** Workers are killed from outside: that says nothing about the messages that they handle. */
const options = { retry: { deathsMax: 1_000_000 } };
const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);
const tally = tallyAgent();
/** Every second message is copied. */
const recordsEach = 1.5;
/** Messages that may wait for a turn at once. */
const waitingMax = 10_000;

export async function talliesUnderChaos(
  run: ScenarioRun,
  stage: TallyStage,
): Promise<ScenarioResult> {
  const startedAt = performance.now();
  const { replicas, servers } = stage;
  await using troupe = await connect({ servers, namespace, replicas, name: "publisher" });
  const url = servers.join(",");
  await using pool = await WorkerPool.start({
    size: workers,
    start: (id, generation) => startTallyWorker({ id, url, namespace, generation, options }),
  });
  await using watch = await StallWatch.start(servers, namespace);
  const isBehind = (accepted: number): boolean =>
    accepted * recordsEach - watch.records > waitingMax * recordsEach;
  const publisher = tallyPublisher(troupe, stage.messagesPerSecond, isBehind);
  const brokerKills = (): number => stage.brokerCounts().brokerKills;
  const storms = new Storms(pool, stage.brokerFaults);
  const markers = new Publisher({
    keys,
    lanes: 10,
    perSecond: 50,
    send: (key, n, id) => troupe.publish(marks, key, { n }, { id: `mark-${id}` }),
  });
  const upgrade = upgradeUnderLoad(pool, markers);
  const faults: FaultPlan[] = [
    ...workerFaults(run, stage, pool),
    ...stage.brokerFaults,
    { name: "storms", count: countFor(3, run), fault: (random) => storms.bring(random) },
    { name: "upgrade", count: 1, fault: () => upgrade.begin() },
  ];
  const load = { publisher, pool, watch, faults, brokerKills };
  await underLoad(run, load);
  await upgrade.end();

  const findings = new Findings();
  await reports(troupe, findings, watch);
  await pool.stop();
  run.onProgress?.(progressOf(load, "checking"));
  const counts = { tallies: publisher.counts, marks: markers.counts };
  const checked = await checkTallies(servers, counts, findings);
  const { lost, duplicated, wrong, texts } = findings;
  return {
    scenario: stage.scenario,
    seed: run.seed,
    minutes: run.minutes,
    ...nothingYet,
    accepted: publisher.accepted + markers.accepted,
    ...checked,
    lost,
    duplicated,
    wrong,
    workerKills: pool.kills,
    workerPauses: pool.pauses,
    upgrades: pool.upgrades,
    storms: storms.count,
    workerCrashes: pool.crashes.length,
    ...stage.brokerCounts(),
    maxStallMs: watch.maxStallMs,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    findings: [...texts, ...pool.crashes],
  };
}

function tallyPublisher(
  troupe: Troupe,
  perSecond: number,
  isBehind: (accepted: number) => boolean,
): Publisher {
  return new Publisher({
    keys,
    lanes: 50,
    perSecond,
    isBehind,
    send: (key, n, id) =>
      troupe.send(tally, key).add({ n, value: (n * 7919 + key.length) % 10_007 }, { id }),
  });
}

function workerFaults(run: ScenarioRun, stage: TallyStage, pool: WorkerPool): FaultPlan[] {
  return [
    {
      name: "worker kills",
      count: countFor(stage.workerKillsPerMinute, run),
      fault: (random) => pool.kill(random),
    },
    {
      // Longer than a silent worker counts as alive, so that others take over meanwhile.
      name: "worker pauses",
      count: countFor(stage.workerPausesPerMinute, run),
      fault: (random) => pool.pause(random, between(random, 3000, 6000)),
    },
  ];
}

/** Asks every agent for its report, the copies last. */
async function reports(troupe: Troupe, findings: Findings, watch: StallWatch): Promise<void> {
  const asking = { timeoutMs: askMs } as const;
  const tallies = (key: string) => troupe.agent(tally, key, asking).report({});
  const copies = (key: string) => troupe.agent(copyAgent, key, asking).report({});
  await reported({ type: "tally", keys, ask: tallies, watch, findings });
  await reported({ type: "copy", keys, ask: copies, watch, findings });
}

async function checkTallies(
  servers: readonly string[],
  counts: Readonly<Record<"marks" | "tallies", ReadonlyMap<string, number>>>,
  findings: Findings,
): Promise<Pick<ScenarioResult, "committed" | "turns">> {
  const rules = new TallyRules(findings);
  const check = new JournalCheck(findings, rules);
  for await (const entry of readStored(servers, namespace)) check.see(entry);
  check.end();
  for (const [key, count] of counts.marks) rules.expectMarked(key, count);
  for (const [key, count] of counts.tallies) {
    rules.expectTold(`tally/${key}`, count);
    rules.expectCopied(key, count);
  }
  return { committed: rules.committed, turns: check.turns };
}
