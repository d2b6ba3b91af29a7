/**
 * Launches a server process and waits until it is ready. Ports that were not asked for are drawn,
 * and drawn anew when the server finds them taken. A relaunch keeps its ports and waits for them,
 * because somebody may hold one for a moment.
 */

import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { NatsServerStartError } from "./errors.ts";
import { drawPort } from "./free-port.ts";
import { address, renderServerConfig, type ServerClusterOptions } from "./server-config.ts";
import { logLinesSince, logSizeOf, type ServerHome } from "./server-home.ts";
import { spawnServer, type ServerProcess } from "./server-process.ts";
import { untilReady } from "./server-ready.ts";

/** Settings with which a server is launched; units as in `StartNatsServerOptions`. */
export type LaunchSettings = {
  readonly binaryPath: string;
  readonly home: ServerHome;
  readonly host: string;
  readonly maxPayloadBytes: number;
  readonly startTimeoutMs: number;
  readonly port?: number;
  readonly storeDir?: string;
  readonly serverName?: string;
  readonly syncInterval?: string;
  readonly cluster?: ServerClusterOptions;
  readonly extraConfig?: readonly string[];
  readonly signal?: AbortSignal;
  /** Whether the server dies with this process, however that ends. @default true */
  readonly watchdog?: boolean;
  /** Source of the ports that were not asked for. @default drawPort */
  readonly nextPort?: () => number;
  /** Told of every process that was started, before it is waited for. */
  readonly onSpawn?: (pid: number) => Promise<void>;
};

/** The ports a server is reached at. */
export type LaunchedPorts = {
  readonly port: number;
  readonly clusterPort: number;
};

/** A server that is ready. */
export type LaunchedServer = LaunchedPorts & {
  readonly process: ServerProcess;
  readonly url: string;
  readonly routeUrl: string | undefined;
  readonly monitoringUrl: string;
};

/** Time to wait before a taken port is tried again, in milliseconds. */
const takenPortRetryMs = 100;

const logLinesMax = 20;

/** Launches a server; `ports` are those of an earlier launch. */
export async function launchServer(
  settings: LaunchSettings,
  ports?: LaunchedPorts,
): Promise<LaunchedServer> {
  const timeout = AbortSignal.timeout(settings.startTimeoutMs);
  const abort = settings.signal && ports === undefined ? [settings.signal] : [];
  const signal = AbortSignal.any([timeout, ...abort]);
  for (;;) {
    const attempt = ports ?? portsFor(settings);
    const outcome = await tryLaunch(settings, attempt, signal);
    if (!(outcome instanceof NatsServerStartError)) return outcome;
    if (!mayRetry(outcome, settings, ports) || signal.aborted) throw outcome;
    if (ports) await delay(takenPortRetryMs);
  }
}

async function tryLaunch(
  settings: LaunchSettings,
  ports: LaunchedPorts,
  signal: AbortSignal,
): Promise<LaunchedServer | NatsServerStartError> {
  const { home } = settings;
  const logPosition = await logSizeOf(home);
  await writeFile(home.configPath, configText(settings, ports));
  const server = await spawnWith(settings);
  try {
    await settings.onSpawn?.(server.pid);
    const ready = await untilReady(server, home.portsFolder, signal);
    if (ready) return launched(settings, ports, server, ready.monitoringUrl);
  } catch (error) {
    await server.kill();
    if (settings.signal?.aborted) throw settings.signal.reason;
    if (!signal.aborted) throw error;
    const lines = await logLinesSince(home, logPosition, logLinesMax);
    const what = `it was not healthy within ${settings.startTimeoutMs} ms`;
    throw new NatsServerStartError(what, lines, { cause: error, retryable: false });
  }
  const lines = await logLinesSince(home, logPosition, logLinesMax);
  const what = `its process ended with ${server.ending()}`;
  return new NatsServerStartError(what, lines, { retryable: lines.some(saysPortIsTaken) });
}

async function spawnWith({ binaryPath, home, watchdog }: LaunchSettings): Promise<ServerProcess> {
  try {
    return await spawnServer({
      binaryPath,
      configPath: home.configPath,
      logPath: home.logPath,
      folderToRemove: home.folder,
      ...(watchdog !== undefined && { watchdog }),
    });
  } catch (error) {
    const what = `its process could not be made: ${(error as Error).message}`;
    throw new NatsServerStartError(what, [], { cause: error, retryable: false });
  }
}

function launched(
  { host, cluster }: LaunchSettings,
  ports: LaunchedPorts,
  process: ServerProcess,
  monitoringUrl: string,
): LaunchedServer {
  return {
    ...ports,
    process,
    monitoringUrl,
    url: `nats://${address(host, ports.port)}`,
    routeUrl: cluster && `nats://${address(host, ports.clusterPort)}`,
  };
}

function configText(settings: LaunchSettings, ports: LaunchedPorts): string {
  return renderServerConfig({
    serverName: settings.serverName ?? `troupe-${ports.port}`,
    host: settings.host,
    port: ports.port,
    storeDir: settings.home.storeDir,
    portsFolder: settings.home.portsFolder,
    maxPayloadBytes: settings.maxPayloadBytes,
    syncInterval: settings.syncInterval,
    cluster: settings.cluster && { ...settings.cluster, port: ports.clusterPort },
    extraConfig: settings.extraConfig ?? [],
  });
}

function portsFor({ port, cluster, nextPort = drawPort }: LaunchSettings): LaunchedPorts {
  return { port: port ?? nextPort(), clusterPort: cluster?.port ?? nextPort() };
}

/** A taken port that the caller asked for is the caller's to resolve. */
function mayRetry(
  { logLines, retryable }: NatsServerStartError,
  { port, cluster }: LaunchSettings,
  earlier: LaunchedPorts | undefined,
): boolean {
  if (!retryable || earlier) return retryable;
  const asked = [port, cluster?.port].filter((candidate) => candidate !== undefined);
  return !logLines.filter(saysPortIsTaken).some((line) => asked.some((one) => names(line, one)));
}

function names(line: string, port: number): boolean {
  return new RegExp(`:${port}\\b`).test(line);
}

function saysPortIsTaken(line: string): boolean {
  return /address already in use|only one usage of each socket address/i.test(line);
}
