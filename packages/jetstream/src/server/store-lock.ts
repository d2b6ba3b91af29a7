/**
 * Keeps two servers off one store, which nats-server itself does not. The locks are numbered files
 * in the store, each of which names the process that took the store, and its server. The file with
 * the highest number counts.
 *
 * 1. A file appears whole or not at all: it is written aside and linked to its name, which fails
 *    when the name exists. So one process gets each number.
 * 2. While the process that wrote the highest file runs, the store is taken.
 * 3. When that process is gone but the server still runs, its watchdog is stopping it: we wait.
 * 4. When both are gone, or the file says that the store was released, the next number is free.
 * 5. The highest file is never removed, not even on release: a slow process that wants a number of
 *    the past sees a higher one after it took its own, and gives way. The process that holds the
 *    store removes the lower files.
 */

import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { NatsServerStoreInUseError } from "./errors.ts";
import { identifyProcess, isStillRunning, type ProcessIdentity } from "./process-identity.ts";

/** A store held by this process. */
export type StoreLock = {
  /** Notes which server works on the store. */
  readonly nameServer: (pid: number) => Promise<void>;
  readonly release: () => Promise<void>;
};

type Holder = {
  readonly owner: ProcessIdentity;
  readonly server?: ProcessIdentity;
};

/** Time between two looks at a store whose server is being stopped, in milliseconds. */
const pollIntervalMs = 20;

/**
 * Takes the store; waits up to `timeoutMs` for an abandoned server to end. Rejects with
 * `NatsServerStoreInUseError` when another server works on it.
 */
export async function lockStore(storeDir: string, timeoutMs: number): Promise<StoreLock> {
  const deadline = performance.now() + timeoutMs;
  const owner = (await identifyProcess(process.pid)) ?? { pid: process.pid, startedAt: "" };
  for (;;) {
    const highest = Math.max(0, ...(await lockNumbers(storeDir)));
    const holder = await readHolder(lockPath(storeDir, highest));
    if (holder && (await isStillRunning(holder.owner))) throw inUse(storeDir, holder);
    if (holder?.server && (await isStillRunning(holder.server))) {
      if (performance.now() > deadline) throw inUse(storeDir, holder);
      await delay(pollIntervalMs);
    } else if (await takeNumber(storeDir, highest + 1, owner)) {
      return heldLock(lockPath(storeDir, highest + 1), owner);
    }
  }
}

function heldLock(path: string, owner: ProcessIdentity): StoreLock {
  return {
    nameServer: async (pid) => {
      const server = await identifyProcess(pid);
      await replaceWhole(path, { owner, ...(server && { server }) });
    },
    release: () => replaceWhole(path, undefined),
  };
}

/** Resolves to whether the store is ours. */
async function takeNumber(
  storeDir: string,
  number: number,
  owner: ProcessIdentity,
): Promise<boolean> {
  const path = lockPath(storeDir, number);
  if (!(await createWhole(path, { owner }))) return false;
  const others = (await lockNumbers(storeDir)).filter((other) => other !== number);
  if (others.some((other) => other > number)) {
    await rm(path, { force: true });
    return false;
  }
  await Promise.all(others.map((other) => rm(lockPath(storeDir, other), { force: true })));
  return true;
}

function lockPath(storeDir: string, number: number): string {
  return join(storeDir, `troupe-server.${number}.json`);
}

async function lockNumbers(storeDir: string): Promise<number[]> {
  const names = await readdir(storeDir);
  return names.flatMap((name) => {
    const number = /^troupe-server\.(\d+)\.json$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

async function createWhole(path: string, holder: Holder): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, JSON.stringify(holder));
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(aside);
  }
}

async function replaceWhole(path: string, holder: Holder | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, holder ? JSON.stringify(holder) : "");
  await rename(aside, path);
}

/** A file that was released, is gone or is no lock has no holder. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

function inUse(storeDir: string, { owner, server }: Holder): NatsServerStoreInUseError {
  return new NatsServerStoreInUseError(storeDir, owner.pid, server?.pid);
}
