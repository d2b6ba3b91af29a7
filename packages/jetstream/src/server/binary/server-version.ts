/** Versions of nats-server: the one we require, and how to ask a binary for its own. */

import { runProgram } from "../run-program.ts";

/**
 * The oldest nats-server Troupe works with. Before 2.14.4 an atomic batch with several expected
 * subjects was refused with false conflicts (nats-server issue 8376), and turns commit that way.
 */
export const minimumNatsServerVersion = "2.14.4";

/**
 * The oldest nats-server whose consumers may have several filters here. In older ones a purge of a
 * subject that covers one filter moves the consumer on, past unread messages of the others
 * (nats-server issue 8571).
 */
export const severalFiltersVersion = "2.15.1";

/** Time that a binary may take to print its version, in milliseconds. */
const versionTimeoutMs = 10_000;

/** Orders two versions such as "2.9.10" and "2.14.4": negative, zero or positive. */
export function compareVersions(left: string, right: string): number {
  const lefts = numbersOf(left);
  const rights = numbersOf(right);
  for (let index = 0; index < 3; index += 1) {
    const difference = (lefts[index] ?? 0) - (rights[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a version is new enough for Troupe. */
export function isNewEnough(version: string): boolean {
  return compareVersions(version, minimumNatsServerVersion) >= 0;
}

/** Runs `<path> --version` and returns the version, such as "2.15.1"; throws when it cannot. */
export async function readServerVersion(path: string, signal?: AbortSignal): Promise<string> {
  const output = await runProgram(path, ["--version"], {
    timeoutMs: versionTimeoutMs,
    ...(signal && { signal }),
  });
  const version = /nats-server: v?(\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (version === undefined) throw new Error(`${path} --version printed no version of nats-server`);
  return version;
}

/** The version of the binary at `path`; throws when it does not run or is too old. */
export async function requireNewEnough(path: string, signal?: AbortSignal): Promise<string> {
  const version = await readServerVersion(path, signal);
  if (isNewEnough(version)) return version;
  throw new Error(`${path} is ${version}, older than ${minimumNatsServerVersion}`);
}

function numbersOf(version: string): number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10) || 0);
}
