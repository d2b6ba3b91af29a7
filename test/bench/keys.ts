/**
 * `npm run keys`: what very many keys cost on this machine. Fills a namespace with agents of one
 * turn each, with a worker that handles them, and prints the memory of broker and worker, the bytes
 * on the disk, and how long it takes until the first turn of an old key after the broker was
 * restarted, was killed, and after a worker was started.
 *
 * After each of these a sample of old keys must have the state that their turn gave them. Ends with
 * one line of JSON; exits 1 when a state is wrong.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { createTroupe, type Troupe } from "@troupe/core";
import { encodePayload, type InputDraft, type Log } from "@troupe/core/log";
import { connectLog } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";

import { Program } from "../e2e/program.ts";
import { account, deposit, windowed } from "./ledger.ts";
import { accountOf, liveHeapOf, type WorkerProcessSettings } from "./worker-process-settings.ts";

const help = `npm run keys -- [options]

  --keys N        agents, 200000 unless told; each handles one message
  --partitions N  of the namespace, 64 unless told
  --shards N      streams that these lie in, 1 unless told
  --sample N      old keys that are asked after each restart, 200 unless told
  --help          this text

4 million keys take 10 minutes on two quiet cores and 40 on busy ones, 3 GB of disk, 5 GB of memory.
`;

const namespace = "keys";
/** Messages on their way to the log. */
const sendsMax = 1024;
/** Messages that may wait for the worker. */
const aheadMax = 50_000;
/** A broker that has to read millions of keys takes its time. */
const patience = { startTimeoutMs: 900_000, stopTimeoutMs: 300_000 } as const;

interface Sizes {
  readonly keys: number;
  readonly partitions: number;
  readonly shards: number;
  readonly sample: number;
}

type Figures = Record<string, number>;

async function run(sizes: Sizes): Promise<boolean> {
  await using server = await startNatsServer(patience);
  await using log = await opened(server, sizes);
  await using troupe = createTroupe(log.log);
  const worker = await startWorker(server);
  const figures: Figures = { ...(await fill(log.log, worker, sizes)), ...(await sizesOf(server)) };
  figures["workerRssMiB"] = mib((await accountOf(worker)).rssBytes);
  figures["workerHeapMiB"] = mib(await liveHeapOf(worker));
  print(figures);
  const wrong: string[] = [];
  const look = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    const startedAt = performance.now();
    await act();
    const readyMs = Math.round(performance.now() - startedAt);
    await firstTurn(troupe, sizes);
    const firstTurnMs = Math.round(performance.now() - startedAt);
    wrong.push(...(await wrongOnes(troupe, sizes)));
    Object.assign(figures, { [`${name}ReadyMs`]: readyMs, [`${name}FirstTurnMs`]: firstTurnMs });
    print({ [`${name}ReadyMs`]: readyMs, [`${name}FirstTurnMs`]: firstTurnMs });
  };
  await look("brokerRestart", () => server.restart());
  print(await sizesOf(server));
  await look("brokerKill", async () => {
    await server.kill();
    await server.restart();
  });
  Object.assign(figures, await sizesOf(server, "AfterKill"));
  await worker.stop();
  let next: Program | undefined;
  await look("workerStart", async () => {
    next = await startWorker(server);
  });
  await next?.stop();
  for (const each of wrong) process.stdout.write(`WRONG ${each}\n`);
  process.stdout.write(`${JSON.stringify({ ...sizes, ...figures, wrong: wrong.length })}\n`);
  return wrong.length === 0;
}

async function opened(
  server: NatsServer,
  { partitions, shards }: Sizes,
): Promise<AsyncDisposable & { readonly log: Log }> {
  const servers = server.url;
  const log = await connectLog({ servers, namespace, partitions, shards, name: "keys" });
  return { log, [Symbol.asyncDispose]: () => log.close() };
}

function startWorker({ url }: NatsServer): Promise<Program> {
  const settings: WorkerProcessSettings = { url, namespace };
  return Program.start(new URL("worker-process.ts", import.meta.url), settings);
}

/** Sends a message for each key, no further ahead of the worker than `aheadMax`. */
async function fill(log: Log, worker: Program, { keys }: Sizes): Promise<Figures> {
  const startedAt = performance.now();
  const payloads = Array.from({ length: amounts }, (_, i) =>
    encodePayload({ ...deposit, amount: amountOf(i) }),
  );
  const draftOf = (i: number): InputDraft => ({
    address: { kind: "agent", name: account.type, key: `key-${i}` },
    metadata: { message: "deposit", contentType: "application/msgpack" },
    payload: payloads[i % amounts] ?? new Uint8Array(),
  });
  let toldAt = startedAt;
  const handledUpTo = async (least: number): Promise<void> => {
    for (;;) {
      const { deposits } = await accountOf(worker);
      if (performance.now() - toldAt > 10_000) {
        toldAt = performance.now();
        print({ keys: deposits, perSecond: perSecond(deposits, startedAt) });
      }
      if (deposits >= least) return;
      await sleep(20);
    }
  };
  for (let from = 0; from < keys; from += aheadMax / 2) {
    const count = Math.min(aheadMax / 2, keys - from);
    await windowed(count, sendsMax, async (i) => void (await log.accept(draftOf(from + i))));
    await handledUpTo(from + count - aheadMax);
  }
  await handledUpTo(keys);
  return {
    fillSeconds: Math.round((performance.now() - startedAt) / 1000),
    turnsPerSecond: perSecond(keys, startedAt),
  };
}

const amounts = 97;

function amountOf(key: number): number {
  return 1 + (key % amounts);
}

/** Ask until somebody answers; what went wrong on the way is part of the time. */
async function firstTurn(troupe: Troupe, { keys }: Sizes): Promise<void> {
  for (;;) {
    try {
      await balanceOf(troupe, Math.floor(Math.random() * keys));
      return;
    } catch (thrown) {
      process.stdout.write(`  ${String(thrown).slice(0, 200)}\n`);
    }
  }
}

/** Of a sample of keys, those whose state is not what their turn made it. */
async function wrongOnes(troupe: Troupe, { keys, sample }: Sizes): Promise<readonly string[]> {
  const wrong: string[] = [];
  await windowed(sample, 32, async () => {
    const key = Math.floor(Math.random() * keys);
    const balance = await balanceOf(troupe, key);
    if (balance !== amountOf(key)) wrong.push(`key-${key} has ${balance}, not ${amountOf(key)}`);
  });
  return wrong;
}

function balanceOf(troupe: Troupe, key: number): Promise<number> {
  return troupe.agent(account, `key-${key}`).deposit({ amount: 0, text: "" });
}

async function sizesOf({ pid, storeDir }: NatsServer, name = ""): Promise<Figures> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
  const files = readdirSync(storeDir, { recursive: true, withFileTypes: true });
  const sizes = files.map((file) =>
    file.isFile() ? statSync(join(file.parentPath, file.name)).size : 0,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { [`brokerRssMiB${name}`]: Math.round(kib / 1024), [`diskMiB${name}`]: mib(bytes) };
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function perSecond(count: number, sinceMs: number): number {
  return Math.round((count * 1000) / (performance.now() - sinceMs));
}

function print(figures: Figures): void {
  const parts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`${parts.join(", ")}\n`);
}

function sizesFrom(args: readonly string[]): Sizes | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: "string", default: "200000" },
      partitions: { type: "string", default: "64" },
      shards: { type: "string", default: "1" },
      sample: { type: "string", default: "200" },
      help: { type: "boolean", default: false },
    },
  });
  const sizes = {
    keys: Number(values.keys),
    partitions: Number(values.partitions),
    shards: Number(values.shards),
    sample: Number(values.sample),
  };
  const isUsable = Object.values(sizes).every((each) => Number.isInteger(each) && each > 0);
  return values.help || !isUsable ? undefined : sizes;
}

const sizes = sizesFrom(process.argv.slice(2));
if (sizes === undefined) process.stdout.write(help);
else process.exit((await run(sizes)) ? 0 : 1);
