/** The broker a demo or a development command talks to: a given one, or a local server. */

import {
  startNatsServer,
  type NatsServer,
  type StartNatsServerOptions,
} from "./start-nats-server.ts";

/** A broker to connect to. Disposing of it stops the server if one was started for it. */
export type Broker = AsyncDisposable & {
  readonly url: string;
  /** The local server; undefined when TROUPE_NATS_URL named a broker. */
  readonly server: NatsServer | undefined;
};

/**
 * Uses the broker at TROUPE_NATS_URL when that is set, else starts a local nats-server.
 *
 * @example
 * ```ts
 * const broker = await ensureBroker();
 * const troupe = await connect(broker.url);
 * ```
 */
export async function ensureBroker(options: StartNatsServerOptions = {}): Promise<Broker> {
  const url = natsUrlFromEnvironment();
  if (url !== undefined) {
    return { url, server: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  const server = await startNatsServer(options);
  return { url: server.url, server, [Symbol.asyncDispose]: () => server.stop() };
}

/**
 * The broker's URL as set by TROUPE_NATS_URL; undefined when it is unset or empty.
 *
 * @example
 * ```ts
 * const server = natsUrlFromEnvironment() ?? "nats://127.0.0.1:4222";
 * ```
 */
export function natsUrlFromEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  return environment["TROUPE_NATS_URL"] || undefined;
}
