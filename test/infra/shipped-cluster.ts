/**
 * The three servers of infra/compose, on this machine without containers: the shipped
 * configuration, with the addresses and folders of this machine given as options, which go before
 * what the file says.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { findNatsServer } from "@troupe/jetstream/server";

const root = new URL("../../", import.meta.url);
export const clusterFile: string = fileURLToPath(new URL("infra/nats/cluster.conf", root));
const names = ["nats-1", "nats-2", "nats-3"];

/** Passwords for `cluster.conf` and `users.conf`. */
export const passwords: Readonly<Record<string, string>> = Object.fromEntries(
  ["ROUTE", "PUBLISHER", "ASKER", "WORKER", "OPERATOR", "ERASER", "PROJECTION"].map((role) => [
    `TROUPE_${role}_PASSWORD`,
    `password-of-${role.toLowerCase()}`,
  ]),
);

export interface ShippedCluster extends AsyncDisposable {
  readonly urls: readonly string[];
  /** What `connect` needs to be one of the users. */
  as(user: string): ClusterUser;
  /** As a container is stopped: lame duck mode, and the end. */
  stop(index: number): Promise<void>;
  /** SIGKILL. */
  kill(index: number): Promise<void>;
  start(index: number): void;
}

export interface ClusterUser {
  readonly servers: string;
  readonly user: string;
  readonly pass: string;
  readonly inboxPrefix: string;
}

export async function startShippedCluster(): Promise<ShippedCluster> {
  const { path } = await findNatsServer();
  const folder = await mkdtemp(join(tmpdir(), "troupe-cluster-"));
  // Below the ports that systems give to outgoing connections.
  const first = randomInt(10_000, 19_900);
  const port = (index: number, kind: number): number => first + index * 3 + kind;
  const urls = names.map((_, index) => `nats://127.0.0.1:${port(index, 0)}`);
  const routes = names.map((_, index) => `nats://127.0.0.1:${port(index, 1)}`);
  const running: (ChildProcess | undefined)[] = [];
  const start = (index: number): void => {
    const options = [
      ["-c", clusterFile],
      ["--name", names[index] ?? ""],
      ["--store_dir", join(folder, names[index] ?? "")],
      ["-a", "127.0.0.1"],
      ["-p", String(port(index, 0))],
      ["-m", String(port(index, 2))],
      ["--cluster", routes[index] ?? ""],
      ["--routes", routes.join(",")],
      ["--log", join(folder, `${names[index]}.log`)],
    ].flat();
    running[index] = spawn(path, options, {
      env: { ...process.env, ...passwords },
      stdio: "ignore",
    });
  };
  const end = async (index: number, signal: NodeJS.Signals): Promise<void> => {
    const server = running[index];
    running[index] = undefined;
    if (server === undefined || server.exitCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  };
  for (const index of names.keys()) start(index);
  return {
    urls,
    as: (user) => ({
      servers: urls.join(","),
      user,
      pass: passwords[`TROUPE_${user.toUpperCase()}_PASSWORD`] ?? "",
      inboxPrefix: `_INBOX.${user}`,
    }),
    start,
    stop: (index) => end(index, "SIGUSR2"),
    kill: (index) => end(index, "SIGKILL"),
    async [Symbol.asyncDispose]() {
      await Promise.all(names.map((_, index) => end(index, "SIGKILL")));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
