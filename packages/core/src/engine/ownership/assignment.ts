/**
 * Assignment of partitions to workers: a pure function of who is alive, so that all workers come to
 * the same answer without talking about it.
 *
 * Rendezvous hashing with bounded load: a partition goes to the worker with the highest hash for it
 * among those that are not full. Few partitions move when a worker comes or goes, and none holds
 * more than its share, rounded up.
 */
import { partitionOfToken } from "../../definition/message/partition.ts";

/** @returns the worker of each partition, by partition number; empty when there is no worker */
export function assignPartitions(
  workers: readonly string[],
  partitions: number,
): readonly string[] {
  if (workers.length === 0) return [];
  const shareMax = Math.ceil(partitions / workers.length);
  const load = new Map<string, number>();
  const holders: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const holder = workers
      .filter((worker) => (load.get(worker) ?? 0) < shareMax)
      .map((worker) => ({ worker, weight: weightOf(worker, partition) }))
      .toSorted((a, b) => b.weight - a.weight || (a.worker < b.worker ? -1 : 1))[0]?.worker;
    if (holder === undefined) throw new Error("a share was too small");
    load.set(holder, (load.get(holder) ?? 0) + 1);
    holders.push(holder);
  }
  return holders;
}

function weightOf(worker: string, partition: number): number {
  // Hashing the partition in twice spreads FNV's weak last step.
  return partitionOfToken(`${partition}|${worker}|${partition}`, 2 ** 31 - 1);
}
