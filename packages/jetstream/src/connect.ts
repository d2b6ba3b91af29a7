/** One line to start: a Troupe on a NATS server or cluster. */
import { createTroupe } from "@troupe/core";
import type { Troupe, TroupeOptions } from "@troupe/core";

import { connectLog } from "./connect-log.ts";
import type { ConnectLogOptions } from "./connect-options.ts";

export interface ConnectOptions extends ConnectLogOptions, Omit<TroupeOptions, "name"> {}

/**
 * Connect to a server: `connect("nats://127.0.0.1:4222")`, or with options. The streams are made
 * when they are not there. Closing the returned Troupe stops its workers and the connection.
 */
export async function connect(
  server: string | ConnectOptions,
  options: Omit<ConnectOptions, "servers"> = {},
): Promise<Troupe> {
  const all: ConnectOptions =
    typeof server === "string" ? { ...options, servers: server } : { ...server, ...options };
  return createTroupe(await connectLog(all), all);
}
