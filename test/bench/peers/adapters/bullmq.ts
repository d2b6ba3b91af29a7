/**
 * BullMQ on Redis: one job per deposit, one worker. A script in Redis keeps the balance and the
 * result per job in one step, so that a job that is delivered again changes nothing.
 *
 * BullMQ has no order per key: with concurrency, two deposits of a key run at once.
 */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

import { amount, checkBalances, keyOf, text } from "../peer.ts";
import type { OpenPeer } from "../peer.ts";
import { startRedis } from "../servers/redis.ts";
import { installedVersion } from "./installed-version.ts";

interface Deposit {
  readonly key: string;
  readonly amount: number;
  readonly text: string;
}

type Deposited = (
  balances: string,
  results: string,
  key: string,
  id: string,
  amount: number,
) => Promise<number>;

const concurrency = 300;
const bulkSize = 1000;

/** The result of a job that was handled before, or else its deposit made and its result kept. */
const depositScript = `
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known then return tonumber(known) end
local balance = redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[2], balance)
return balance
`;

export const open: OpenPeer = async () => {
  const server = await startRedis();
  const connection = { host: "127.0.0.1", port: server.port, maxRetriesPerRequest: null };
  const state = new Redis({ ...connection, enableAutoPipelining: true });
  state.defineCommand("deposited", { numberOfKeys: 2, lua: depositScript });
  const deposited = (state as unknown as { readonly deposited: Deposited }).deposited.bind(state);
  let rounds = 0;
  return {
    versions: `bullmq ${installedVersion("bullmq")}, redis-server ${server.version}`,
    settings: `worker concurrency ${concurrency}, jobs stored before the clock starts; no order per key`,
    durability: "appendonly yes, appendfsync everysec: acknowledged before fsync",
    async round(deposits) {
      const name = `deposits-${rounds++}`;
      const balances = `balances-${name}`;
      const queue = new Queue<Deposit, number>(name, { connection });
      await addJobs(queue, deposits);
      const worker = new Worker<Deposit, number>(
        name,
        (job) =>
          deposited(balances, `results-${name}`, job.data.key, job.id ?? "", job.data.amount),
        { connection, concurrency, autorun: false },
      );
      await worker.waitUntilReady();
      const startedAt = performance.now();
      const done = allOf(worker, deposits);
      worker.run().catch(() => undefined);
      await done;
      const seconds = (performance.now() - startedAt) / 1000;
      await worker.close();
      const kept = Object.entries(await state.hgetall(balances));
      checkBalances(new Map(kept.map(([key, balance]) => [key, Number(balance)])), deposits);
      const { completed } = await queue.getJobCounts("completed");
      if (completed !== deposits) throw new Error(`${completed} of ${deposits} results are kept.`);
      await queue.close();
      await state.flushall();
      return seconds;
    },
    async close() {
      state.disconnect();
      await server.stop();
    },
  };
};

async function addJobs(queue: Queue<Deposit, number>, deposits: number): Promise<void> {
  for (let first = 0; first < deposits; first += bulkSize) {
    const size = Math.min(bulkSize, deposits - first);
    await queue.addBulk(
      Array.from({ length: size }, (_, index) => ({
        name: "deposit",
        data: { key: keyOf(first + index), amount, text },
      })),
    );
  }
}

/** @throws Error when a job fails */
function allOf(worker: Worker<Deposit, number>, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let seen = 0;
  worker.on("completed", () => {
    if (++seen === count) resolve();
  });
  worker.on("failed", (_job, error) => reject(error));
  worker.on("error", reject);
  return promise;
}
