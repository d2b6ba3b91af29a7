/**
 * The connection itself: where to, as whom, and how long to try.
 *
 * Refused credentials end it at once. Where nobody answers, it tries again for a short while, so
 * that a broker that starts together with its workers is found; a program that wants to wait longer
 * says so with `startTimeoutMs`.
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";

import { dialFailure } from "./connect-failure.ts";
import { connectDefaults, natsOptions, type ConnectLogOptions } from "./connect-options.ts";
import { retryUnavailable } from "./retry.ts";
import { serverAddresses } from "./server-address.ts";

const dialTimeoutMs = 3000;

/**
 * @throws ServerAddressError, AccessDeniedError, InsecureConnectionError at once,
 * LogUnavailableError when no server answered in time
 */
export async function dial(options: ConnectLogOptions): Promise<NatsConnection> {
  const timeoutMs = options.startTimeoutMs ?? dialTimeoutMs;
  const addresses = serverAddresses(options.servers ?? connectDefaults.servers);
  const settings = await natsOptions(options, addresses);
  const deadline = performance.now() + timeoutMs;
  return retryUnavailable(
    async () => {
      const timeout = Math.max(1, Math.round(deadline - performance.now()));
      try {
        return await connect({ ...settings, timeout });
      } catch (cause) {
        throw dialFailure(cause, addresses.servers);
      }
    },
    { timeoutMs },
  );
}
