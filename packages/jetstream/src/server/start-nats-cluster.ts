/** Starts several nats-servers on loopback that form one cluster, for tests of replication. */

import { atLeastOne, requireOptions, type OptionRules } from "@troupe/core/log";

import { NatsServerStartError } from "./errors.ts";
import { drawPort } from "./free-port.ts";
import {
  startNatsServer,
  startRules,
  type NatsServer,
  type StartNatsServerOptions,
} from "./start-nats-server.ts";

/** Options of a local cluster. */
export type StartNatsClusterOptions = Omit<
  StartNatsServerOptions,
  "port" | "host" | "storeDir" | "serverName" | "cluster" | "logFile"
> & {
  /** The number of members, at least 1. @default 3 */
  readonly size?: number;
  /** The cluster's name; its members are called `<name>-1`, `<name>-2`, …. @default "troupe" */
  readonly name?: string;
};

const { maxPayloadBytes, startTimeoutMs, stopTimeoutMs } = startRules;
const clusterRules: OptionRules<StartNatsClusterOptions> = {
  size: atLeastOne,
  name: "other",
  maxPayloadBytes,
  syncInterval: "other",
  extraConfig: "other",
  binary: "other",
  startTimeoutMs,
  stopTimeoutMs,
  signal: "other",
  onProgress: "other",
};

/** A local cluster. */
export type NatsCluster = AsyncDisposable & {
  readonly servers: readonly NatsServer[];
  /** URLs that clients connect to: one of every member. */
  readonly urls: readonly string[];
  /** Stops all members. */
  stop(): Promise<void>;
};

/** Number of times that ports are drawn anew when one of them turns out to be taken. */
const attemptsMax = 5;

/**
 * Resolves when every member is healthy by itself; the members then still elect their leader, so
 * the first requests may have to be repeated. Rejects as `startNatsServer` does.
 *
 * @example
 * ```ts
 * const cluster = await startNatsCluster();
 * const troupe = await connect({ servers: cluster.urls, replicas: 3 });
 * ```
 */
export async function startNatsCluster(
  options: StartNatsClusterOptions = {},
): Promise<NatsCluster> {
  requireOptions("Cluster option ", options, clusterRules);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startMembers(options);
    } catch (error) {
      const portTaken = error instanceof NatsServerStartError && error.retryable;
      if (!portTaken || attempt === attemptsMax) throw error;
    }
  }
}

/** All routes have to be known to all members beforehand: together they are the quorum. */
async function startMembers(options: StartNatsClusterOptions): Promise<NatsCluster> {
  const { size = 3, name = "troupe", ...shared } = options;
  const ports = drawDistinctPorts(size);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
  const starts = await Promise.allSettled(
    ports.map((port, index) =>
      startNatsServer({
        ...shared,
        serverName: `${name}-${index + 1}`,
        cluster: { name, port, routes },
      }),
    ),
  );
  const servers = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const failure = starts.find((start) => start.status === "rejected");
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return { servers, urls: servers.map(({ url }) => url), stop, [Symbol.asyncDispose]: stop };
}

function drawDistinctPorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(drawPort());
  return [...ports];
}
