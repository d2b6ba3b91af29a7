/**
 * A running nats-server process, from spawn to exit. It is in a session of its own, so that Ctrl-C
 * reaches only the application, which can finish its work while the broker still runs. It does not
 * keep the parent's event loop alive.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Writable } from "node:stream";

import { releaseWord, watchdogDescriptor, withWatchdog } from "./watchdog.ts";

/** The program to run, with its arguments. */
export type ServerCommand = {
  readonly binaryPath: string;
  readonly configPath: string;
  /** File to which the output of the process is appended. */
  readonly logPath: string;
  /** Removed by the watchdog when it had to stop an abandoned server. */
  readonly folderToRemove: string | undefined;
  /** Whether a watchdog stops the server when this process dies. @default true, but on Windows */
  readonly watchdog?: boolean;
};

/** A nats-server process. */
export type ServerProcess = {
  readonly pid: number;
  /** End of the process ("exit code 1", "SIGKILL"); undefined while it runs. */
  readonly ending: () => string | undefined;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Asks the process to end, and forces it after `timeoutMs`; resolves when it is gone. */
  readonly stop: (timeoutMs: number) => Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
};

const running = new Set<ChildProcess>();

/** Starts the process; rejects when it cannot even be spawned. */
export async function spawnServer(command: ServerCommand): Promise<ServerProcess> {
  const child = spawnChild(command);
  const lifeline = child.stdio[watchdogDescriptor] as (Writable & { unref?(): void }) | undefined;
  // The watchdog may be gone already when it is released.
  lifeline?.on("error", () => {});
  let ending: string | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      ending = signal ?? `exit code ${code}`;
      running.delete(child);
      lifeline?.end(releaseWord);
      resolve();
    });
  });
  const pid = await spawned(child);
  stopWhenParentExits(child);
  child.unref();
  lifeline?.unref?.();
  return {
    pid,
    ending: () => ending,
    exited,
    stop: (timeoutMs) => whileReferenced(child, () => stopChild(child, exited, timeoutMs)),
    kill: () =>
      whileReferenced(child, () => {
        child.kill("SIGKILL");
        return exited;
      }),
  };
}

function spawnChild(command: ServerCommand): ChildProcess {
  const server = [command.binaryPath, "--config", command.configPath];
  const guarded = command.watchdog ?? process.platform !== "win32";
  const [program = "", ...args] = guarded ? withWatchdog(server, command.folderToRemove) : server;
  const log = openSync(command.logPath, "a");
  try {
    return spawn(program, args, {
      stdio: ["ignore", log, log, guarded ? "pipe" : "ignore"],
      detached: process.platform !== "win32",
      windowsHide: true,
    });
  } finally {
    closeSync(log);
  }
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid ?? 0));
  });
}

async function stopChild(
  child: ChildProcess,
  exited: Promise<void>,
  timeoutMs: number,
): Promise<void> {
  child.kill("SIGTERM");
  const escalation = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  await exited;
  clearTimeout(escalation);
}

/** Waiting for the exit has to keep the event loop alive, unlike a server that just runs. */
async function whileReferenced(child: ChildProcess, wait: () => Promise<void>): Promise<void> {
  if (!running.has(child)) return;
  child.ref();
  try {
    await wait();
  } finally {
    child.unref();
  }
}

function stopWhenParentExits(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (running.size === 0) process.once("exit", stopAll);
  running.add(child);
  child.once("exit", () => {
    if (running.size === 0) process.off("exit", stopAll);
  });
}

function stopAll(): void {
  for (const child of running) child.kill("SIGTERM");
}
