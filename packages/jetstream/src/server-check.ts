/** Whether the server can hold a Troupe log. */
import type { NatsConnection } from "@nats-io/nats-core";

import { UnsupportedServerError } from "./errors.ts";
import { isNewEnough, minimumNatsServerVersion as oldest } from "./server/binary/server-version.ts";

/** @throws UnsupportedServerError */
export function checkServer(connection: NatsConnection): void {
  const { info } = connection;
  const server = connection.getServer();
  const version = info?.version ?? "unknown";
  if (!isNewEnough(version)) {
    throw new UnsupportedServerError(
      `The server ${server} is nats-server ${version}; Troupe needs ${oldest} or newer, because older ones ` +
        `report false conflicts in atomic batches. Upgrade it.`,
      { details: { server, version, oldest } },
    );
  }
  if (info?.headers === false) {
    throw new UnsupportedServerError(`The server ${server} has message headers switched off.`);
  }
}
