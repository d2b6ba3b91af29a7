/**
 * Waits until a nats-server is ready: it has written its ports file, which it does when all its
 * listeners accept connections, and its health check says that JetStream is enabled.
 */

import { readdir, readFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { ServerProcess } from "./server-process.ts";

/** Time between two looks at the server while it starts, in milliseconds. */
const pollIntervalMs = 5;

/** Time that one health check may take, in milliseconds. */
const healthTimeoutMs = 2_000;

/** The addresses a running server reported. */
export type ServerPorts = {
  readonly monitoringUrl: string;
};

/**
 * Resolves with the server's ports once it is ready, or with undefined when its process ended;
 * rejects with the signal's reason when aborted.
 */
export async function untilReady(
  server: ServerProcess,
  portsFolder: string,
  signal: AbortSignal,
): Promise<ServerPorts | undefined> {
  let ports: ServerPorts | undefined;
  while (server.ending() === undefined) {
    ports ??= await readPorts(portsFolder, server.pid);
    if (ports && (await isHealthy(ports.monitoringUrl))) return ports;
    await delay(pollIntervalMs, undefined, { signal });
  }
  return undefined;
}

/** Whether the server behind a monitoring URL says that JetStream is enabled. */
export function isHealthy(monitoringUrl: string): Promise<boolean> {
  return new Promise((resolve) => {
    const url = `${monitoringUrl}/healthz?js-enabled-only=true`;
    const request = get(url, { agent: false, timeout: healthTimeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
  });
}

/** The server names the file after its binary and process id. */
async function readPorts(portsFolder: string, pid: number): Promise<ServerPorts | undefined> {
  const name = (await readdir(portsFolder)).find((entry) => entry.endsWith(`_${pid}.ports`));
  if (name === undefined) return undefined;
  try {
    const ports = JSON.parse(await readFile(join(portsFolder, name), "utf8")) as {
      readonly monitoring?: readonly string[];
    };
    const monitoringUrl = ports.monitoring?.[0];
    return monitoringUrl === undefined ? undefined : { monitoringUrl };
  } catch {
    // The server is still writing it.
    return undefined;
  }
}
