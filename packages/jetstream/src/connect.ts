/** A line to start: a Troupe on a NATS server or cluster. */
import { createTroupe } from "@troupe/core";
import { DefinitionError } from "@troupe/core/errors";
import { requireOptions, troupeOptionRules } from "@troupe/core/log";
import type { Troupe, TroupeOptions } from "@troupe/core";
import type { OptionRules } from "@troupe/core/log";

import { connectChecked } from "./connect-log.ts";
import { connectLogRules, type ConnectLogOptions } from "./connect-options.ts";

export interface ConnectOptions extends ConnectLogOptions, Omit<TroupeOptions, "name"> {}

const connectRules: OptionRules<ConnectOptions> = { ...troupeOptionRules, ...connectLogRules };

/**
 * Connect to a server: `connect("nats://127.0.0.1:4222")`, or with options. The streams are made
 * when they are not there. Closing the returned Troupe stops its workers and the connection.
 *
 * @example
 * ```ts
 * await using troupe = await connect("nats://127.0.0.1:4222", { namespace: "acme" });
 * ```
 */
export async function connect(
  server: string | ConnectOptions,
  options: Omit<ConnectOptions, "servers"> = {},
): Promise<Troupe> {
  if (typeof server !== "string" && (typeof server !== "object" || server === null)) {
    throw new DefinitionError(
      `connect was given ${String(server)}: give an address such as "nats://127.0.0.1:4222", or options.`,
      { details: { given: typeof server } },
    );
  }
  const all: ConnectOptions =
    typeof server === "string" ? { ...options, servers: server } : { ...server, ...options };
  requireOptions("Connect option ", all, connectRules);
  const troupeOptions = Object.keys(troupeOptionRules).flatMap((name) =>
    Object.hasOwn(all, name) ? [[name, all[name as keyof TroupeOptions]]] : [],
  );
  const log = await connectChecked(all);
  return createTroupe(log, Object.fromEntries(troupeOptions) as TroupeOptions);
}
