/**
 * Starts a real nats-server with JetStream as a child process: for development, tests and demos.
 * It listens on loopback only, needs no account, and keeps its data in a temporary folder unless
 * one is given. It is stopped by `stop()`, by `await using`, and when this process ends, however
 * that happens (on Windows not when it is terminated). It does not keep this process running.
 */

import { requireOptions, type NumberRule, type OptionRules } from "@troupe/core/log";

import { findNatsServer } from "./binary/find-nats-server.ts";
import type { NatsServerBinary } from "./binary/finder.ts";
import { NatsServerStoppedError } from "./errors.ts";
import { launchServer, type LaunchedServer, type LaunchSettings } from "./launch-server.ts";
import type { ServerClusterOptions } from "./server-config.ts";
import { createServerHome, removeServerHome } from "./server-home.ts";
import { lockStore } from "./store-lock.ts";

/** Options of a local nats-server. */
export type StartNatsServerOptions = {
  /** The port for clients, 1 to 65535. @default a free one */
  readonly port?: number;
  /** The interface to listen on. @default "127.0.0.1" */
  readonly host?: string;
  /** The folder of the data, made if needed and kept. @default a temporary one, removed on stop */
  readonly storeDir?: string;
  /** The server's name. @default "troupe-<port>" */
  readonly serverName?: string;
  /** The largest message, in bytes, at least 1. @default 1048576 */
  readonly maxPayloadBytes?: number;
  /**
   * Times at which writes reach the disk: "always" or a duration. @default the server's, two
   * minutes
   */
  readonly syncInterval?: "always" | `${number}${"ms" | "s" | "m"}`;
  /** Makes the server a member of a cluster. @default a server of its own */
  readonly cluster?: ServerClusterOptions;
  /** More lines for the configuration file, at its top level. @default none */
  readonly extraConfig?: readonly string[];
  /** The file the server's log is appended to, kept. @default a temporary one */
  readonly logFile?: string;
  /** The path of the binary. @default found, see findNatsServer */
  readonly binary?: string;
  /** Time until the server has to be healthy, in milliseconds. @default 30000 */
  readonly startTimeoutMs?: number;
  /** Time that `stop()` waits before it forces the server, in milliseconds. @default 10000 */
  readonly stopTimeoutMs?: number;
  /** Ends the start; the promise rejects with the signal's reason. A started server goes on. */
  readonly signal?: AbortSignal;
  /** Told of everything that takes more than a moment, such as a download. */
  readonly onProgress?: (message: string) => void;
};

const port: NumberRule = { least: 1, most: 65_535, whole: true };
/** The server itself takes at most 64 MB. */
const payloadBytes: NumberRule = { least: 1, most: 64 * 1024 * 1024, whole: true };
const milliseconds: NumberRule = { least: 1, most: 2 ** 31 - 1 };

/** Rules of the options that `startNatsServer` reads. */
export const startRules: OptionRules<StartNatsServerOptions> = {
  port,
  host: "other",
  storeDir: "other",
  serverName: "other",
  maxPayloadBytes: payloadBytes,
  syncInterval: "other",
  cluster: "other",
  extraConfig: "other",
  logFile: "other",
  binary: "other",
  startTimeoutMs: milliseconds,
  stopTimeoutMs: milliseconds,
  signal: "other",
  onProgress: "other",
};

const clusterRules: OptionRules<Partial<ServerClusterOptions>> = {
  name: "other",
  port,
  routes: "other",
};

/** A local nats-server. */
export type NatsServer = AsyncDisposable & {
  /** URL that clients connect to, such as "nats://127.0.0.1:21234". */
  readonly url: string;
  readonly port: number;
  /** The base URL of the monitoring endpoints; changes with a restart. */
  readonly monitoringUrl: string;
  /** Route for the other members of the cluster; undefined without a cluster. */
  readonly routeUrl: string | undefined;
  readonly storeDir: string;
  /** Such as "2.15.1". */
  readonly version: string;
  /** The id of the server's process; changes with a restart. */
  readonly pid: number;
  /** Stops the server cleanly, forces it when it takes too long; removes temporary folders. */
  stop(): Promise<void>;
  /** SIGKILL, for chaos tests: no clean-up on either side; `restart()` brings it back. */
  kill(): Promise<void>;
  /** Stops the server if it runs, and starts it on the same port and store. */
  restart(): Promise<void>;
};

const defaults = Object.freeze({
  host: "127.0.0.1",
  maxPayloadBytes: 1_048_576,
  startTimeoutMs: 30_000,
  stopTimeoutMs: 10_000,
});

/**
 * Resolves when the server is healthy. Rejects with `DefinitionError` when an option is not usable,
 * with `NatsServerNotFoundError` when no binary is
 * to be had, with `NatsServerStoreInUseError` when another server works on the store, and with
 * `NatsServerStartError` when the server does not start.
 *
 * @example
 * ```ts
 * const server = await startNatsServer({ storeDir: ".troupe/nats" });
 * const troupe = await connect(server.url);
 * ```
 */
export async function startNatsServer(options: StartNatsServerOptions = {}): Promise<NatsServer> {
  requireOptions("Server option ", options, startRules);
  requireOptions("Server option cluster.", options.cluster ?? {}, clusterRules);
  const binary = await findNatsServer(options);
  await using resources = new AsyncDisposableStack();
  const home = await createServerHome(options);
  resources.defer(() => removeServerHome(home));
  const common = { ...defaults, ...options, binaryPath: binary.path, home };
  const lock = await lockStore(home.storeDir, common.startTimeoutMs);
  resources.defer(lock.release);
  const settings = { ...common, onSpawn: lock.nameServer };
  const launched = await launchServer(settings);
  return serverOf(binary, settings, launched, resources.move());
}

/** Operations run one after the other: a restart never overlaps a stop. */
function serverOf(
  binary: NatsServerBinary,
  settings: LaunchSettings & { readonly stopTimeoutMs: number },
  first: LaunchedServer,
  resources: AsyncDisposableStack,
): NatsServer {
  let current = first;
  let stopped = false;
  let last: Promise<void> = Promise.resolve();
  const inTurn = (operation: () => Promise<void>): Promise<void> => {
    last = last.then(operation, operation);
    return last;
  };
  const stop = (): Promise<void> =>
    inTurn(async () => {
      stopped = true;
      await current.process.stop(settings.stopTimeoutMs);
      await resources.disposeAsync();
    });
  return {
    url: first.url,
    port: first.port,
    routeUrl: first.routeUrl,
    storeDir: settings.home.storeDir,
    version: binary.version,
    get monitoringUrl() {
      return current.monitoringUrl;
    },
    get pid() {
      return current.process.pid;
    },
    stop,
    kill: () => inTurn(() => current.process.kill()),
    restart: () =>
      inTurn(async () => {
        if (stopped) throw new NatsServerStoppedError(first.url);
        await current.process.stop(settings.stopTimeoutMs);
        current = await launchServer(settings, first);
      }),
    [Symbol.asyncDispose]: stop,
  };
}
