/**
 * The connection itself: its target, its user, and the time to try.
 *
 * Refused credentials end it at once, and so does what a look at the server finds when the client
 * hears nothing from it. Where nobody answers, it tries again for a short while, so
 * that a broker that starts together with its workers is found; a program that wants to wait longer
 * says so with `startTimeoutMs`.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { TimeoutError, type NatsConnection } from "@nats-io/nats-core";
import { connect, type NodeConnectionOptions } from "@nats-io/transport-node";
import { TroupeError } from "@troupe/core";

import { dialFailure, obstacleOf } from "./connect-failure.ts";
import { connectDefaults, natsOptions, type ConnectLogOptions } from "./connect-options.ts";
import { retryUnavailable } from "./retry.ts";
import { serverAddresses, type ServerAddresses } from "./server-address.ts";
import { lookAtServer } from "./server-look.ts";

const dialTimeoutMs = 3000;
/** The client cannot be stopped while it dials, so one that is given up goes on for so long. */
const attemptMsMax = 10_000;
/** Servers that let us in do so in less, as a rule. */
const slowMs = 300;

/**
 * @throws ServerAddressError, AccessDeniedError, InsecureConnectionError at once,
 * LogUnavailableError when no server answered in time
 */
export async function dial(options: ConnectLogOptions): Promise<NatsConnection> {
  const timeoutMs = options.startTimeoutMs ?? dialTimeoutMs;
  const addresses = serverAddresses(options.servers ?? connectDefaults.servers);
  const settings = await natsOptions(options, addresses);
  const deadline = performance.now() + timeoutMs;
  let found: TroupeError | undefined;
  return retryUnavailable(
    async () => {
      const leftMs = Math.max(1, Math.round(deadline - performance.now()));
      try {
        return await attempt({ ...settings, timeout: Math.min(leftMs, attemptMsMax) }, addresses);
      } catch (thrown) {
        if (!(thrown instanceof TroupeError)) throw thrown;
        // The last attempt may have had too little time to find what the one before did.
        if (!(thrown.cause instanceof TimeoutError)) found = thrown;
        throw found ?? thrown;
      }
    },
    { timeoutMs },
  );
}

async function attempt(
  settings: NodeConnectionOptions,
  { servers }: ServerAddresses,
): Promise<NatsConnection> {
  const dialing = connect(settings);
  const looking = new AbortController();
  try {
    return await Promise.race([dialing, obstacle(settings, servers, looking.signal)]);
  } catch (cause) {
    void dialing.then((late) => late.close()).catch(() => undefined);
    throw cause instanceof TroupeError ? cause : dialFailure(cause, servers);
  } finally {
    looking.abort();
  }
}

/** Rejects when every server is known to let nobody in who comes like this; else never settles. */
async function obstacle(
  settings: NodeConnectionOptions,
  servers: readonly string[],
  signal: AbortSignal,
): Promise<never> {
  const never = new Promise<never>(() => undefined);
  try {
    await sleep(slowMs, undefined, { signal });
  } catch {
    return never;
  }
  const looks = await Promise.all(servers.map((server) => lookAtServer(server, signal)));
  const obstacles = looks.map((look, index) => obstacleOf(look, servers[index] ?? "", settings));
  const [first] = obstacles;
  if (signal.aborted || first === undefined || obstacles.includes(undefined)) return never;
  throw first;
}
