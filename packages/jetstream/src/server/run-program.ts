/** Runs a short-lived program to its end, within a bound. */

import { execFile } from "node:child_process";

/** Options for running a program. */
export type RunOptions = {
  /** The program is killed after this many milliseconds. */
  readonly timeoutMs: number;
  readonly folder?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
};

/** The most a program may print, in bytes. */
const outputSizeMax = 4 * 1024 * 1024;

/** Resolves with what the program printed; rejects with its last complaint in the message. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      {
        encoding: "utf8",
        maxBuffer: outputSizeMax,
        timeout: options.timeoutMs,
        killSignal: "SIGKILL",
        ...(options.folder !== undefined && { cwd: options.folder }),
        ...(options.environment && { env: options.environment }),
        ...(options.signal && { signal: options.signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${program} ${reasonOf(error, stderr, options)}`, { cause: error }));
      },
    );
  });
}

type ProgramFailure = Error & { code?: unknown; killed?: boolean };

function reasonOf(error: ProgramFailure, stderr: string, options: RunOptions): string {
  if (error.code === "ENOENT") return "is not installed";
  if (error.name === "AbortError") return "was aborted";
  if (error.killed === true) return `did not end within ${options.timeoutMs} ms`;
  const lines = stderr.trim().split("\n");
  // The lines that APT marks as errors come first, and are followed by general advice.
  const complaint = lines.find((line) => line.startsWith("E: ")) ?? lines.at(-1);
  return `failed (${String(error.code)})${complaint ? `: ${complaint}` : ""}`;
}
