/**
 * A local nats-server for development, tests and demos.
 *
 * ```ts
 * await using server = await startNatsServer();
 * const connection = await connect({ servers: server.url });
 * ```
 */

/** Start a server, or use the one TROUPE_NATS_URL names. */
export { startNatsServer } from "./start-nats-server.ts";
export type { NatsServer, StartNatsServerOptions } from "./start-nats-server.ts";
export type { ServerClusterOptions } from "./server-config.ts";
export { startNatsCluster } from "./start-nats-cluster.ts";
export type { NatsCluster, StartNatsClusterOptions } from "./start-nats-cluster.ts";
export { ensureBroker, natsUrlFromEnvironment } from "./ensure-broker.ts";
export type { Broker } from "./ensure-broker.ts";

/** Find the binary without starting it, downloading it if need be. */
export { findNatsServer } from "./binary/find-nats-server.ts";
export type { FindNatsServerOptions } from "./binary/find-nats-server.ts";
export type { NatsServerBinary } from "./binary/finder.ts";
export { minimumNatsServerVersion } from "./binary/server-version.ts";

/** Errors of a local nats-server. */
export {
  NatsServerNotFoundError,
  NatsServerStartError,
  NatsServerStoppedError,
  NatsServerStoreInUseError,
} from "./errors.ts";
export type { BinaryAttempt } from "./errors.ts";
