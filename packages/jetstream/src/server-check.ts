/** Whether the server can hold a Troupe log. */
import type { NatsConnection } from "@nats-io/nats-core";

import { UnsupportedServerError } from "./errors.ts";

/** The first version whose atomic batches check several expected revisions correctly. */
const oldest = [2, 14, 4] as const;

/** @throws UnsupportedServerError */
export function checkServer(connection: NatsConnection): void {
  const { info } = connection;
  const server = connection.getServer();
  const version = info?.version ?? "unknown";
  if (!isNewEnough(version)) {
    throw new UnsupportedServerError(
      `The server ${server} is nats-server ${version}; Troupe needs ${oldest.join(".")} or newer, because older ones ` +
        `report false conflicts in atomic batches. Upgrade it.`,
      { details: { server, version, oldest: oldest.join(".") } },
    );
  }
  if (info?.headers === false) {
    throw new UnsupportedServerError(`The server ${server} has message headers switched off.`);
  }
}

/** Whether a version such as `2.15.1` or `2.14.4-RC.1` is at least the oldest one that works. */
export function isNewEnough(version: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [i, least] of oldest.entries()) {
    const part = parts[i] ?? Number.NaN;
    if (part !== least) return part > least;
  }
  return true;
}
