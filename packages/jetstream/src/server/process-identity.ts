/**
 * Tells processes apart for good. A process id alone does not: it is used again, after a restart
 * of a container even by the same program. Together with the start time it is unique.
 */

import { readFile } from "node:fs/promises";

import { runProgram } from "./run-program.ts";

/** A process as it can be recognised later, by another process, after a restart. */
export type ProcessIdentity = {
  readonly pid: number;
  /**
   * Time at which it was started, in the words of the operating system; "" where that is unknown.
   */
  readonly startedAt: string;
};

const psTimeoutMs = 5_000;

/** The identity of a running process; undefined when there is none with this id. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === "linux") return identifyOnLinux(pid);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  if (process.platform === "win32") return { pid, startedAt: "" };
  const started = await runProgram("ps", ["-o", "lstart=", "-p", String(pid)], {
    timeoutMs: psTimeoutMs,
  }).catch(() => "");
  return { pid, startedAt: started.trim() };
}

/** Whether the process that had this identity still runs. */
export async function isStillRunning(identity: ProcessIdentity): Promise<boolean> {
  const current = await identifyProcess(identity.pid);
  return current !== undefined && current.startedAt === identity.startedAt;
}

/** A process that has ended but was not collected by its parent counts as gone. */
async function identifyOnLinux(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // The fields after the name, which is in brackets and may contain anything: state, parent, ….
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : { pid, startedAt: `${boot.trim()}+${fields[19]}` };
  } catch {
    return undefined;
  }
}
