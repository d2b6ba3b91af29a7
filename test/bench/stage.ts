/**
 * The stage that every benchmark needs: a broker of its own, fresh streams, and what the processes
 * cost. What was started on a stage ends with it, also when a benchmark is given up half-way.
 */
import { readFileSync } from "node:fs";

import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import { partitionCountDefault, type Log } from "@troupe/core/log";
import { connectLog, subjects } from "@troupe/jetstream";
import type { Subjects } from "@troupe/jetstream";
import { startNatsServer } from "@troupe/jetstream/server";

import { Program } from "../e2e/program.ts";
import type { WorkerProcessSettings } from "./worker-process-settings.ts";

export interface FreshLog {
  readonly log: Log;
  readonly names: Subjects;
  readonly namespace: string;
}

export interface Stage extends AsyncDisposable {
  readonly url: string;
  /** A raw connection, tuned as well as ours. */
  readonly raw: NatsConnection;
  /** A log in a namespace of its own. */
  freshLog(): Promise<FreshLog>;
  /** Another connection to the log of a namespace. */
  reopen(namespace: string): Promise<Log>;
  /** Start a worker in a process of its own; resolves when it is ready. */
  startWorker(settings: Omit<WorkerProcessSettings, "url">): Promise<Program>;
  /** Forget everything that a namespace has stored. */
  drop(namespace: string): Promise<void>;
  /** CPU seconds the broker has used so far; NaN where the system does not tell. */
  brokerCpuSeconds(): number;
  /** Bytes the broker has received and sent so far. */
  brokerWireBytes(): Promise<number>;
  /** Bytes in the stream of a namespace, as the broker counts them. */
  storedBytes(namespace: string): Promise<number>;
}

export async function openStage(): Promise<Stage> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startNatsServer());
  const raw = await connect({ servers: server.url, noAsyncTraces: true });
  starting.defer(() => raw.close());
  const manager = await jetstreamManager(raw);
  const resources = starting.move();
  const open = async (namespace: string): Promise<Log> => {
    const log = await connectLog({ servers: server.url, namespace });
    resources.defer(() => log.close());
    return log;
  };
  let namespaces = 0;
  return {
    url: server.url,
    raw,
    async freshLog() {
      const namespace = `bench${namespaces++}`;
      return {
        log: await open(namespace),
        names: subjects(namespace, partitionCountDefault),
        namespace,
      };
    },
    reopen: open,
    startWorker: async (settings) =>
      resources.use(await Program.start(workerProcess, { ...settings, url: server.url })),
    async drop(namespace) {
      const { controlStream, ingressStream, stream } = subjects(namespace, partitionCountDefault);
      const names = [stream, controlStream, ingressStream];
      await Promise.all(names.map((name) => manager.streams.delete(name)));
    },
    brokerCpuSeconds: () => cpuSeconds(server.pid),
    async brokerWireBytes() {
      const answer = await fetch(`${server.monitoringUrl}/varz`);
      const { in_bytes, out_bytes } = (await answer.json()) as Traffic;
      return in_bytes + out_bytes;
    },
    storedBytes: async (namespace) =>
      (await manager.streams.info(subjects(namespace, partitionCountDefault).stream)).state.bytes,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const workerProcess = new URL("./worker-process.ts", import.meta.url);

interface Traffic {
  readonly in_bytes: number;
  readonly out_bytes: number;
}

/** User and system time from /proc, whose unit is 10 ms on Linux. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return Number.NaN;
  }
}
