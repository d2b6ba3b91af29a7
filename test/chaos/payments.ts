/** Payments by agents whose workers die in mid-charge: every command is charged exactly once. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";

import type { Program } from "../e2e/program.ts";
import { Findings } from "./findings.ts";
import { JournalCheck } from "./journal-check.ts";
import { progressOf, underLoad, type FaultPlan } from "./load-phase.ts";
import { payerAgent } from "./payment/payer.ts";
import { startPayerWorker } from "./payment/payer-worker-settings.ts";
import { PaymentRules } from "./payment/payment-rules.ts";
import { attemptsOf, readLedger, startPaymentService } from "./payment/payment-service-settings.ts";
import { Publisher } from "./publisher.ts";
import { askMs, reported } from "./reported.ts";
import { nothingYet, type ScenarioResult } from "./scenario-result.ts";
import { countFor, type ScenarioRun } from "./scenario.ts";
import { between } from "./seeded-random.ts";
import { StallWatch } from "./stall-watch.ts";
import { readStored } from "./stream-reader.ts";
import { WorkerPool } from "./worker-pool.ts";

const namespace = "chaos";
const keys = Array.from({ length: 120 }, (_, i) => `payer-${i}`);
const payer = payerAgent();

export async function payments(run: ScenarioRun): Promise<ScenarioResult> {
  const startedAt = performance.now();
  await using folder = await mkdtempDisposable(join(tmpdir(), "troupe-chaos-"));
  const ledgerPath = join(folder.path, "ledger.jsonl");
  const settings = { ledgerPath, delayMsMax: 40, lostAnswers: 0.02 };
  const { program, url: serviceUrl } = await startPaymentService(settings);
  await using service = program;
  await using server = await startNatsServer();
  const { url } = server;
  await using troupe = await connect(url, { namespace, name: "publisher" });
  await using pool = await WorkerPool.start({
    size: 3,
    start: (id) => startPayerWorker({ id, url, namespace, serviceUrl }),
  });
  await using watch = await StallWatch.start([url], namespace);
  const publisher = paymentPublisher(troupe);
  let brokerKills = 0;
  const faults = faultsOf(run, pool, server, () => (brokerKills += 1));
  const load = { publisher, pool, watch, faults, brokerKills: () => brokerKills };
  await underLoad(run, load);

  const findings = new Findings();
  const ask = (key: string): Promise<unknown> =>
    troupe.agent(payer, key, { timeoutMs: askMs }).report({});
  await reported({ type: "payer", keys, ask, watch, findings });
  await pool.stop();
  run.onProgress?.(progressOf(load, "checking"));
  const checked = await checkPayments({ url, ledgerPath, service, publisher, findings });
  return {
    scenario: "payment",
    seed: run.seed,
    minutes: run.minutes,
    ...nothingYet,
    accepted: publisher.accepted,
    commands: publisher.accepted,
    ...checked,
    workerKills: pool.kills,
    workerPauses: pool.pauses,
    workerCrashes: pool.crashes.length,
    brokerKills,
    maxStallMs: watch.maxStallMs,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    findings: [...findings.texts, ...pool.crashes],
  };
}

function paymentPublisher(troupe: Troupe): Publisher {
  return new Publisher({
    keys,
    lanes: 40,
    perSecond: 200,
    send: (key, n, id) =>
      troupe.send(payer, key).pay({ command: commandOf(key, n), cents: 100 + n }, { id }),
  });
}

const commandOf = (key: string, n: number): string => `${key}-${n}`;

function faultsOf(
  run: ScenarioRun,
  pool: WorkerPool,
  server: NatsServer,
  killed: () => void,
): FaultPlan[] {
  return [
    { name: "worker kills", count: countFor(25, run), fault: (random) => pool.kill(random) },
    {
      // Long enough for another worker to charge what the paused one was about to charge.
      name: "worker pauses",
      count: countFor(3, run),
      fault: (random) => pool.pause(random, between(random, 3000, 6000)),
    },
    {
      name: "broker kills",
      count: countFor(2, run),
      fault: async (random) => {
        await server.kill();
        killed();
        await sleep(between(random, 0, 1000));
        await server.restart();
      },
    },
  ];
}

interface Evidence {
  readonly url: string;
  readonly ledgerPath: string;
  readonly service: Program;
  readonly publisher: Publisher;
  readonly findings: Findings;
}

type Checked = Pick<
  ScenarioResult,
  | "attempts"
  | "beyondLimits"
  | "chargedTwice"
  | "charges"
  | "committed"
  | "duplicated"
  | "lost"
  | "ranAgain"
  | "turns"
  | "wrong"
>;

async function checkPayments(evidence: Evidence): Promise<Checked> {
  const { findings, ledgerPath, publisher, service, url } = evidence;
  const ledger = await readLedger(ledgerPath);
  const attempts = await attemptsOf(service);
  const rules = new PaymentRules(findings, ledger, attempts);
  const check = new JournalCheck(findings, rules);
  for await (const entry of readStored([url], namespace)) {
    check.see(entry);
    if (entry.kind === "steps") rules.steps(entry);
  }
  check.end();
  const accepted = [...publisher.counts].flatMap(([key, count]) =>
    Array.from({ length: count }, (_, i) => commandOf(key, i + 1)),
  );
  rules.end(accepted);
  const { lost, duplicated, wrong } = findings;
  return {
    committed: rules.committed,
    turns: check.turns,
    lost,
    duplicated,
    wrong,
    attempts: attempts.reduce((sum, { count }) => sum + count, 0),
    charges: ledger.length,
    chargedTwice: rules.chargedTwice,
    ranAgain: rules.ranAgain,
    beyondLimits: rules.beyondLimits,
  };
}
