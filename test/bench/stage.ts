/** What every benchmark needs: a broker of its own, fresh streams, and what the processes cost. */
import { readFileSync } from "node:fs";

import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Log } from "@troupe/core";
import { connectLog, subjects } from "@troupe/jetstream";
import type { Subjects } from "@troupe/jetstream";
import { startNatsServer } from "@troupe/jetstream/server";

export interface Stage extends AsyncDisposable {
  readonly url: string;
  /** A raw connection, tuned as well as ours. */
  readonly raw: NatsConnection;
  /** A log in a namespace of its own. */
  freshLog(): Promise<{ readonly log: Log; readonly names: Subjects; readonly namespace: string }>;
  /** Another connection to the log of a namespace. */
  reopen(namespace: string): Promise<Log>;
  /** CPU seconds the broker has used so far; NaN where the system does not tell. */
  brokerCpuSeconds(): number;
}

export async function openStage(): Promise<Stage> {
  const server = await startNatsServer();
  const raw = await connect({ servers: server.url, noAsyncTraces: true });
  let namespaces = 0;
  return {
    url: server.url,
    raw,
    async freshLog() {
      const namespace = `bench${namespaces++}`;
      return {
        log: await connectLog({ servers: server.url, namespace }),
        names: subjects(namespace),
        namespace,
      };
    },
    reopen: (namespace) => connectLog({ servers: server.url, namespace }),
    brokerCpuSeconds: () => cpuSeconds(server.pid),
    async [Symbol.asyncDispose]() {
      await raw.close();
      await server.stop();
    },
  };
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
