/** A restate-server on loopback: one node, all roles, its data in a temporary folder. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { CannotRunError } from "../../benchmark.ts";
import { freePort, startProcess, temporaryFolder } from "./local-process.ts";
import type { LocalProcess } from "./local-process.ts";

export interface Restate extends LocalProcess {
  readonly ingressUrl: string;
  readonly adminUrl: string;
}

/** @throws CannotRunError where its package has no program for this platform */
export async function startRestate(): Promise<Restate> {
  const platform = `${process.platform}-${process.arch}`;
  const binary = `../node_modules/@restatedev/restate-server-${platform}/bin/restate-server`;
  const path = fileURLToPath(new URL(binary, import.meta.url));
  if (!existsSync(path)) throw new CannotRunError(`there is no restate-server for ${platform}`);
  const [node, admin, ingress] = [await freePort(), await freePort(), await freePort()];
  const folder = await temporaryFolder("restate");
  const adminUrl = `http://127.0.0.1:${admin}`;
  const ingressUrl = `http://127.0.0.1:${ingress}`;
  const server = await startProcess({
    command: [path, "--no-logo", "--base-dir", folder],
    folder,
    environment: {
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_BIND_IP: "127.0.0.1",
      RESTATE_ADVERTISED_HOST: "127.0.0.1",
      RESTATE_BIND_PORT: `${node}`,
      RESTATE_ADMIN__BIND_PORT: `${admin}`,
      RESTATE_INGRESS__BIND_PORT: `${ingress}`,
      // The default of 24 is for more cores: with 8 it starts and runs faster on few.
      RESTATE_DEFAULT_NUM_PARTITIONS: "8",
      // Comparable to a NATS stream: acknowledged when written, synced by the system later.
      RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: "true",
      RESTATE_LOG_FILTER: "warn",
      RESTATE_DISABLE_TELEMETRY: "true",
      DO_NOT_TRACK: "1",
    },
    ready: async () => {
      const health = await Promise.all([
        fetch(`${adminUrl}/health`),
        fetch(`${ingressUrl}/restate/health`),
      ]);
      return health.every(({ ok }) => ok);
    },
  });
  return { adminUrl, ingressUrl, stop: () => server.stop() };
}
