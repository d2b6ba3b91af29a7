/**
 * Settings by which a benchmark tells a worker process what to be, and what the process tells about
 * itself.
 */
import type { WorkerOptions } from "@troupe/core";

import type { Program } from "../e2e/program.ts";

export interface WorkerProcessSettings {
  readonly url: string;
  readonly namespace: string;
  /** Start work only when it is told "go". @default at once */
  readonly isHeldBack?: boolean;
  /** Count the agents in memory, which costs something with every event. @default false */
  readonly countsActivations?: boolean;
  /** Options that survive JSON. */
  readonly options?: WorkerOptions;
}

export interface WorkerAccount {
  /** Partitions of the accounts. */
  readonly partitions: readonly number[];
  /** Deposits handled in this process. */
  readonly deposits: number;
  readonly rssBytes: number;
  /** Agents in memory, now and at most so far; 0 unless it was asked to count them. */
  readonly activations: number;
  readonly activationsLargest: number;
}

export async function accountOf(worker: Program): Promise<WorkerAccount> {
  return (await worker.ask("account")) as WorkerAccount;
}

/** Bytes of live heap, after garbage was collected. */
export async function liveHeapOf(worker: Program): Promise<number> {
  return (await worker.ask("live heap")) as number;
}
