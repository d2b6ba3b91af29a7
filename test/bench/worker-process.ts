/**
 * A worker process of the benchmarks: it hosts the accounts, tells about itself when it is asked,
 * and ends on SIGTERM as a well-behaved program does, or when its parent is gone.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { createTroupe, preferShortPauses } from "@troupe/core";
import type { Worker } from "@troupe/core";
import { connectLog } from "@troupe/jetstream";

import { account, depositsSoFar } from "./ledger.ts";
import type { WorkerAccount, WorkerProcessSettings } from "./worker-process-settings.ts";

// As `troupe work` does.
preferShortPauses();
const settings = JSON.parse(process.argv[2] ?? "{}") as WorkerProcessSettings;
const { countsActivations = false, isHeldBack = false, namespace, options = {}, url } = settings;
const tell = (notice: object): void => void process.send?.(notice);

const log = await connectLog({ servers: url, namespace });
const troupe = createTroupe(log);
let worker: Worker | undefined;
let activations = 0;
let activationsLargest = 0;
if (countsActivations) {
  troupe.inspect(({ kind }) => {
    if (kind === "agent.activated") activations += 1;
    if (kind === "agent.passivated") activations -= 1;
    activationsLargest = Math.max(activationsLargest, activations);
  });
}

async function work(): Promise<void> {
  worker = await troupe.work(account, options);
}

function accountNow(): WorkerAccount {
  return {
    partitions: worker?.holdings.map(({ partition }) => partition) ?? [],
    deposits: depositsSoFar(),
    rssBytes: process.memoryUsage.rss(),
    activations,
    activationsLargest,
  };
}

/** The collector is a flag of the engine, which the parent has not given. */
function liveHeap(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

process.on("message", (question) => {
  if (question === "go") void work();
  if (question === "account") tell({ kind: "answer account", answer: accountNow() });
  if (question === "live heap") tell({ kind: "answer live heap", answer: liveHeap() });
});
process.once("SIGTERM", () => {
  void troupe.close().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
if (!isHeldBack) await work();
tell({ kind: "ready" });
