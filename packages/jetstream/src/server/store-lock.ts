/**
 * Keeps two servers off one store, which nats-server itself does not. The lock is a file in the
 * store that names the process that started the server, and the server.
 *
 * 1. The file appears whole or not at all: it is written aside and linked to its name, which fails
 *    when the name exists.
 * 2. While the process that wrote it runs, the store is taken.
 * 3. When that process is gone but the server still runs, its watchdog is stopping it: we wait.
 * 4. When both are gone, the file is left over. Whoever moves it away looks whether it is still the
 *    one that was left over, and otherwise puts it back.
 */

import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
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

/** How often a store whose server is being stopped is looked at, in milliseconds. */
const pollIntervalMs = 20;

/**
 * Takes the store; waits up to `timeoutMs` for an abandoned server to end. Rejects with
 * `NatsServerStoreInUseError` when another server works on it.
 */
export async function lockStore(storeDir: string, timeoutMs: number): Promise<StoreLock> {
  const path = join(storeDir, "troupe-server.json");
  const deadline = performance.now() + timeoutMs;
  const owner = (await identifyProcess(process.pid)) ?? { pid: process.pid, startedAt: "" };
  while (!(await createWhole(path, { owner }))) {
    const text = await readFile(path, "utf8").catch(() => "");
    const holder = parseHolder(text);
    if (holder && (await isStillRunning(holder.owner))) throw inUse(storeDir, holder);
    if (holder?.server && (await isStillRunning(holder.server))) {
      if (performance.now() > deadline) throw inUse(storeDir, holder);
      await delay(pollIntervalMs);
    } else {
      await removeLeftOver(path, text);
    }
  }
  return {
    nameServer: async (pid) => {
      const server = await identifyProcess(pid);
      await replaceWhole(path, { owner, ...(server && { server }) });
    },
    release: () => rm(path, { force: true }),
  };
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

async function replaceWhole(path: string, holder: Holder): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, JSON.stringify(holder));
  await rename(aside, path);
}

async function removeLeftOver(path: string, expected: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    // Somebody else has moved it away.
    return;
  }
  const moved = await readFile(aside, "utf8");
  if (moved !== expected) await link(aside, path).catch(() => {});
  await rm(aside);
}

function parseHolder(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

function inUse(storeDir: string, { owner, server }: Holder): NatsServerStoreInUseError {
  return new NatsServerStoreInUseError(storeDir, owner.pid, server?.pid);
}
