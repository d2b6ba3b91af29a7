/**
 * Durable stateful turns per second: pull, fold, append, reply; 1000 keys, one replica, file
 * storage.
 */
import { createTroupe } from "@troupe/core";
import { jetstreamManager } from "@nats-io/jetstream";
import type { BenchRow } from "./measure.ts";
import { contest } from "./measure.ts";
import { account, preload } from "./ledger.ts";
import type { RawCommit } from "./raw-loop.ts";
import { startRawLoop } from "./raw-loop.ts";
import type { Stage } from "./stage.ts";

export interface TurnsSize {
  readonly turns: number;
  readonly rounds: number;
}

export async function benchTurns(stage: Stage, size: TurnsSize): Promise<readonly BenchRow[]> {
  const race = { unit: "turns/s", better: "more", rounds: size.rounds } as const;
  return [
    await contest({
      ...race,
      name: "turns",
      versus: "raw loop: atomic batches, ack per message",
      goal: 0.8,
      ours: () => ours(stage, size.turns),
      theirs: () => theirs(stage, size.turns, "batches"),
    }),
    await contest({
      ...race,
      name: "turns-strict",
      versus: "raw loop: pipelined publishes, no acks",
      goal: 0.6,
      ours: () => ours(stage, size.turns),
      theirs: () => theirs(stage, size.turns, "singles"),
    }),
  ];
}

/** Turns per second of a worker; the clock runs from its start to the last reply. */
async function ours(stage: Stage, turns: number): Promise<number> {
  const { log, names } = await stage.freshLog();
  const replies = countReplies(stage, turns);
  await preload(log, turns, replies.address);
  const troupe = createTroupe(log);
  const seconds = await timed(stage, "ours", turns, async () => {
    await troupe.work(account, { timings: { joinDelayMs: 0 } });
    await replies.all;
  });
  await troupe.close();
  await drop(stage, names.stream);
  return turns / seconds;
}

async function theirs(stage: Stage, turns: number, commit: RawCommit): Promise<number> {
  const { log, names } = await stage.freshLog();
  const replies = countReplies(stage, turns);
  await preload(log, turns, replies.address);
  const prefix = `${names.namespace}.0`;
  const seconds = await timed(stage, commit, turns, async () => {
    const loop = await startRawLoop(stage.raw, {
      stream: names.stream,
      inputs: `${prefix}.in`,
      journals: `${prefix}.journal.raw`,
      partitions: log.partitions,
      commit,
    });
    await replies.all;
    await loop.stop();
  });
  await log.close();
  await drop(stage, names.stream);
  return turns / seconds;
}

/** Counts on the raw connection, so that both contestants' replies cost this process the same. */
function countReplies(
  stage: Stage,
  count: number,
): { readonly address: string; readonly all: Promise<void> } {
  const address = `_INBOX.bench.${process.hrtime.bigint().toString(36)}`;
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  const subscription = stage.raw.subscribe(address, {
    callback: () => {
      seen += 1;
      if (seen < count) return;
      subscription.unsubscribe();
      resolve();
    },
  });
  return { address, all: promise };
}

async function timed(
  stage: Stage,
  who: string,
  turns: number,
  run: () => Promise<void>,
): Promise<number> {
  const brokerBefore = stage.brokerCpuSeconds();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const client = (cpu.user + cpu.system) / turns;
  const broker = ((stage.brokerCpuSeconds() - brokerBefore) * 1e6) / turns;
  process.stderr.write(
    `  ${who.padEnd(8)} ${Math.round(turns / seconds)} turns/s, CPU per turn: process ${client.toFixed(1)} µs, broker ${broker.toFixed(1)} µs\n`,
  );
  return seconds;
}

async function drop(stage: Stage, stream: string): Promise<void> {
  await (await jetstreamManager(stage.raw)).streams.delete(stream);
}
