/**
 * AutoGen, in Python: `autogen-peer.py` does the work and is told here what to do. The Python is
 * the one that TROUPE_BENCH_PYTHON names, or else the first on the PATH that has autogen-core.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { CannotRunError } from "../../benchmark.ts";
import { amount, chainLength, checkBalances, checkReplySum, keys } from "../peer.ts";
import type { ChainRound, Peer } from "../peer.ts";

export type AutogenMode = "local" | "grpc";

interface Round {
  readonly seconds: number;
  /** Of the balances in all replies. */
  readonly sum: number;
  readonly balances: Readonly<Record<string, number>>;
}

const script = fileURLToPath(new URL("autogen-peer.py", import.meta.url));

const modules: Readonly<Record<AutogenMode, readonly string[]>> = {
  local: ["autogen_core"],
  grpc: ["autogen_core", "autogen_ext.runtimes.grpc"],
};

const processes: Readonly<Record<AutogenMode, string>> = {
  local: "SingleThreadedAgentRuntime",
  grpc: "host, worker and sender in a process each",
};

/** @throws CannotRunError where no Python has autogen-core, and autogen-ext[grpc] for gRPC */
export async function openAutogen(mode: AutogenMode): Promise<Peer> {
  const { python, version } = await findPython(mode);
  const child = spawn(python, [script, mode], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, "exit");
  const next = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error("AutoGen ended; what it said went to stderr.");
    return JSON.parse(value) as unknown;
  };
  await next();
  let rounds = 0;
  return {
    versions: version,
    settings: `${processes[mode]}, 1000 requests in flight; sending is on the clock on both sides`,
    durability: "none, messages, state and replies are in memory only, and are lost with a process",
    async round(deposits) {
      child.stdin.write(`${deposits} ${keys} ${amount} r${rounds++}-\n`);
      const { balances, seconds, sum } = (await next()) as Round;
      checkReplySum(sum, deposits);
      checkBalances(new Map(Object.entries(balances)), deposits);
      return seconds;
    },
    async chain({ inFlight, passes }) {
      child.stdin.write(`chain ${passes} ${inFlight} ${chainLength} c${rounds++}-\n`);
      return (await next()) as ChainRound;
    },
    async close() {
      child.stdin.end();
      const escalation = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(escalation);
    },
  };
}

async function findPython(
  mode: AutogenMode,
): Promise<{ readonly python: string; readonly version: string }> {
  const chosen = process.env["TROUPE_BENCH_PYTHON"];
  const candidates = chosen === undefined ? ["python3", "python"] : [chosen];
  const wanted = modules[mode].join(", ");
  const program = `import platform, ${wanted}
print("autogen-core", autogen_core.__version__ + ", Python", platform.python_version())`;
  for (const python of candidates) {
    const said = await promisify(execFile)(python, ["-c", program]).catch(() => undefined);
    if (said !== undefined) return { python, version: said.stdout.trim() };
  }
  throw new CannotRunError(
    `no Python of ${candidates.join(", ")} can import ${wanted}; install autogen-core and ` +
      `autogen-ext[grpc] and name the Python in TROUPE_BENCH_PYTHON`,
  );
}
