/** The demo's worker processes, one of which is killed in the middle. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface DeskWorkers extends AsyncDisposable {
  /** Process ids of the living workers. */
  readonly pids: readonly number[];
  /** SIGKILL one worker: no goodbye, no clean-up. Returns its id. */
  killOne(): string;
  /** Let the others finish and stop. */
  stop(): Promise<void>;
}

export interface DeskWorkersOptions {
  readonly count: number;
  readonly url: string;
  readonly namespace: string;
}

/** Start the workers; resolves when each has taken its share. */
export async function startDeskWorkers(options: DeskWorkersOptions): Promise<DeskWorkers> {
  const workers = new Map<string, ChildProcess>();
  for (let number = 1; number <= options.count; number++) {
    const id = `worker-${number}`;
    workers.set(id, fork(script, [id, options.url, options.namespace], { stdio: "inherit" }));
  }
  await Promise.all([...workers.values()].map(ready));
  const stop = async (): Promise<void> => {
    await Promise.all([...workers.values()].map(terminate));
    workers.clear();
  };
  return {
    get pids() {
      return [...workers.values()].flatMap((worker) => worker.pid ?? []);
    },
    killOne() {
      const [first] = workers;
      if (first === undefined) throw new Error("no worker is left to kill");
      const [id, worker] = first;
      workers.delete(id);
      worker.kill("SIGKILL");
      return id;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const script = fileURLToPath(new URL("./worker-process.ts", import.meta.url));

async function ready(worker: ChildProcess): Promise<void> {
  const ended = once(worker, "exit").then(() => {
    throw new Error("a worker process ended before it was ready");
  });
  await Promise.race([once(worker, "message"), ended]);
}

async function terminate(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exited = once(worker, "exit");
  worker.kill("SIGTERM");
  await exited;
}
