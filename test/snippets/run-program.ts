/** Runs a program of the documentation on a broker of its own, as a reader would. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { startNatsServer } from "@troupe/jetstream/server";

const run = promisify(execFile);

/** A program takes a second or two; one that still runs after this hangs, and rejects. */
const hangsAfterMs = 60_000;

/** The address that the pages name. */
const addressOfPages = "nats://127.0.0.1:4222";

export interface Printed {
  readonly stdout: string;
  /** Without what says that the machine is busy: the broker gave no answer in time. */
  readonly stderr: string;
}

const saidWhenBusy = /^troupe: .* \[log-unavailable\]\n/gm;

/**
 * Resolves with what the program printed; rejects when it ends with an error. The address that it
 * names has to be replaced by `addressFromEnvironment` before.
 */
export async function runProgram(
  path: string,
  options: readonly string[] = [],
  times = 1,
): Promise<Printed[]> {
  await using server = await startNatsServer();
  const cwd = await mkdtemp(join(tmpdir(), "troupe-snippet-"));
  const printed: Printed[] = [];
  try {
    for (let i = 0; i < times; i++) {
      const env = { ...process.env, TROUPE_NATS_URL: server.url };
      const parameters = [...options, path];
      const said = await run(process.execPath, parameters, { cwd, env, timeout: hangsAfterMs });
      printed.push({ stdout: said.stdout, stderr: said.stderr.replaceAll(saidWhenBusy, "") });
    }
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
  return printed;
}

/**
 * Runs programs one after the other in one process, which is several times quicker. Resolves with
 * what each printed on the error stream, by its path.
 */
export async function runPrograms(
  paths: readonly string[],
  options: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const runner = fileURLToPath(new URL("run-all.ts", import.meta.url));
  const timeout = hangsAfterMs * paths.length;
  const running = run(process.execPath, [...options, runner, ...paths], { timeout });
  // One that fails has said so on the error stream, with its name before it.
  const { stderr } = await running.catch((error: unknown) => error as Printed);
  return new Map(
    stderr
      .replaceAll(saidWhenBusy, "")
      .split("\n── ")
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
}

/** The text, with the address that pages name replaced by the one of the broker at hand. */
export function addressFromEnvironment(code: string): string {
  const literal = new RegExp(`(?<!\\?\\? )"${addressOfPages}"`, "g");
  return code.replaceAll(literal, `(process.env["TROUPE_NATS_URL"] ?? "")`);
}
