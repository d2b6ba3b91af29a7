/** Options for reaching the servers, and the time to wait for them. */
import { access, constants, readFile } from "node:fs/promises";

import {
  atLeastOne,
  atLeastZero,
  shardsMax,
  type NumberRule,
  type OptionRules,
} from "@troupe/core/log";
import type { Authenticator } from "@nats-io/nats-core";
import {
  credsAuthenticator,
  nkeyAuthenticator,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";

import { AccessDeniedError, InsecureConnectionError } from "./errors.ts";
import type { ServerAddresses } from "./server-address.ts";
import { partitionsMax } from "./log-stream.ts";

/** Options of `connectLog`. Every field is optional; a local server needs none. */
export interface ConnectLogOptions {
  /**
   * Addresses of one or more servers of one cluster, as a list or separated by commas. Credentials
   * in an address (`nats://user:pass@host`, `nats://token@host`, percent-encoded) count when no
   * other option says who we are. @default "nats://127.0.0.1:4222"
   */
  readonly servers?: string | readonly string[] | undefined;
  /**
   * Prefix of all subjects and stream names: one or more tokens such as `acme.support`. @default
   * "troupe"
   */
  readonly namespace?: string | undefined;
  /**
   * Name of this connection in monitoring, and the beginning of its consumers' names. @default
   * "troupe"
   */
  readonly name?: string | undefined;
  /** User name; needs `pass`. @default none */
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  /** Authentication token. @default none */
  readonly token?: string | undefined;
  /** Path of a `.creds` file with a JWT and a seed. @default none */
  readonly credsFile?: string | undefined;
  /** An nkey seed, `SU…`. @default none */
  readonly nkeySeed?: string | undefined;
  /**
   * TLS: files or contents of the certificate, key and authority; with it, or with an address that
   * begins with `tls://`, a server without TLS is refused. @default what the server asks for
   */
  readonly tls?: NodeConnectionOptions["tls"] | undefined;
  /**
   * Prefix of reply subjects, for users whose permissions limit them: `_INBOX`, or below it, such
   * as `_INBOX.asker`. @default "_INBOX"
   */
  readonly inboxPrefix?: string | undefined;
  /** Create the streams when they do not exist. With `false` somebody else has to. @default true */
  readonly createStreams?: boolean | undefined;
  /**
   * Partitions of a stream this call creates, 1 to 1024; an existing stream keeps its own. @default
   * 16
   */
  readonly partitions?: number | undefined;
  /**
   * In how many streams a namespace that this call makes lies, 1 to 256; the number of partitions
   * is a multiple of it. One that exists keeps its own, and another number here is refused.
   * @default 1
   */
  readonly shards?: number | undefined;
  /** Copies of every message in the cluster, 1 to 5, for streams this call creates. @default 1 */
  readonly replicas?: number | undefined;
  /**
   * Room, in bytes, for messages of foreign clients that no worker has taken yet, in an ingress
   * this call creates; further ones are refused. Minimum 1. @default 268435456 (256 MiB)
   */
  readonly ingressBytesMax?: number | undefined;
  /**
   * Longest wait for a server with JetStream at the start, in milliseconds. Minimum 1. @default
   * 30000 for one that answers, 5000 for one that has no JetStream but is in a cluster, 3000 where
   * none answers
   */
  readonly startTimeoutMs?: number | undefined;
  /**
   * Time after which a commit's outcome counts as unknown, in milliseconds. Minimum 1. @default
   * 5000
   */
  readonly commitTimeoutMs?: number | undefined;
  /** Time for which `accept` keeps trying, in milliseconds. Minimum 1. @default 30000 */
  readonly acceptTimeoutMs?: number | undefined;
  /** Sent messages on their way to the log at once; later ones wait. Minimum 1. @default 1024 */
  readonly acceptsMax?: number | undefined;
  /**
   * Sent messages that wait; one more fails with `too-many-waiting`. Minimum 0. @default 100000
   */
  readonly acceptsWaitingMax?: number | undefined;
  /**
   * Pause between signs of life of an idle reader, in milliseconds; two missing ones restart it.
   * Minimum 1. @default 2000
   */
  readonly readerHeartbeatMs?: number | undefined;
}

interface ConnectDefaults {
  readonly servers: string;
  readonly namespace: string;
  readonly name: string;
  readonly inboxPrefix: string;
  readonly createStreams: boolean;
  readonly replicas: number;
  readonly ingressBytesMax: number;
  readonly startTimeoutMs: number;
  readonly otherServerTimeoutMs: number;
  readonly commitTimeoutMs: number;
  readonly acceptTimeoutMs: number;
  readonly acceptsMax: number;
  readonly acceptsWaitingMax: number;
  readonly readerHeartbeatMs: number;
}

/** Values of the options when they are absent. */
export const connectDefaults: ConnectDefaults = Object.freeze({
  servers: "nats://127.0.0.1:4222",
  namespace: "troupe",
  name: "troupe",
  inboxPrefix: "_INBOX",
  createStreams: true,
  replicas: 1,
  ingressBytesMax: 268_435_456,
  startTimeoutMs: 30_000,
  otherServerTimeoutMs: 5000,
  commitTimeoutMs: 5000,
  acceptTimeoutMs: 30_000,
  acceptsMax: 1024,
  acceptsWaitingMax: 100_000,
  readerHeartbeatMs: 2000,
});

const milliseconds: NumberRule = { least: 1, most: 2 ** 31 - 1 };

/** Options that `connectLog` reads; `connect` takes the same, and those of `createTroupe`. */
export const connectLogRules: OptionRules<ConnectLogOptions> = {
  servers: "other",
  namespace: "other",
  name: "other",
  user: "other",
  pass: "other",
  token: "other",
  credsFile: "other",
  nkeySeed: "other",
  tls: "other",
  inboxPrefix: "other",
  createStreams: "other",
  partitions: { least: 1, most: partitionsMax, whole: true },
  shards: { least: 1, most: shardsMax, whole: true },
  replicas: { least: 1, most: 5, whole: true },
  ingressBytesMax: { least: 1, whole: true },
  startTimeoutMs: milliseconds,
  commitTimeoutMs: milliseconds,
  acceptTimeoutMs: milliseconds,
  acceptsMax: atLeastOne,
  acceptsWaitingMax: atLeastZero,
  readerHeartbeatMs: milliseconds,
};

const reconnectWaitMs = 250;
const pingMs = 20_000;

/** The client's own options. Reads the credentials file. @throws AccessDeniedError */
export async function natsOptions(
  options: ConnectLogOptions,
  { credentials, servers }: ServerAddresses,
): Promise<NodeConnectionOptions> {
  return {
    servers: [...servers],
    name: options.name ?? connectDefaults.name,
    inboxPrefix: options.inboxPrefix ?? connectDefaults.inboxPrefix,
    // Without this every publish and request records stack traces, which costs two thirds of the
    // throughput.
    noAsyncTraces: true,
    // A worker outlives its broker: it reconnects for ever, quickly, and also when a rotation
    // breaks authentication.
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectWaitMs,
    reconnectJitterTLS: reconnectWaitMs,
    ignoreAuthErrorAbort: true,
    pingInterval: pingMs,
    ...((await identityOf(options)) ?? credentials),
    ...(await tlsOf(options, servers)),
  };
}

async function tlsOf(
  { tls }: ConnectLogOptions,
  servers: readonly string[],
): Promise<Pick<NodeConnectionOptions, "tls">> {
  if (tls === undefined) return servers.some(isSecure) ? { tls: {} } : {};
  const { caFile, certFile, keyFile } = tls ?? {};
  for (const [option, path] of Object.entries({ caFile, certFile, keyFile })) {
    if (path !== undefined) await requireReadable(option, path);
  }
  return { tls };
}

/** The client itself does not look at the scheme. */
function isSecure(server: string): boolean {
  return server.toLowerCase().startsWith("tls://");
}

async function requireReadable(option: string, path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    const text = `The file ${path} of the option tls.${option} cannot be read: ${String(cause)}.`;
    throw new InsecureConnectionError(text, { cause, details: { option, path } });
  }
}

type Identity = Pick<NodeConnectionOptions, "authenticator" | "pass" | "token" | "user">;

/** Identity that the options state; undefined when they state none, and then the address may. */
async function identityOf(options: ConnectLogOptions): Promise<Identity | undefined> {
  const { credsFile, nkeySeed, pass, token, user } = options;
  if (credsFile !== undefined) return { authenticator: await credsFileAuthenticator(credsFile) };
  if (nkeySeed !== undefined) return { authenticator: seedAuthenticator(nkeySeed) };
  if (token !== undefined) return { token };
  if (user === undefined && pass === undefined) return undefined;
  return { ...(user === undefined ? {} : { user }), ...(pass === undefined ? {} : { pass }) };
}

async function credsFileAuthenticator(path: string): Promise<Authenticator> {
  try {
    return checked(credsAuthenticator(await readFile(path)));
  } catch (cause) {
    const text = `The credentials file ${path} cannot be used: ${String(cause)}. It has to hold a JWT and a seed.`;
    throw new AccessDeniedError(text, { cause, details: { credsFile: path } });
  }
}

/** An authenticator that shows nothing of the seed. */
function seedAuthenticator(seed: string): Authenticator {
  try {
    return checked(nkeyAuthenticator(Buffer.from(seed.trim())));
  } catch {
    throw new AccessDeniedError("The option nkeySeed is no nkey seed: it has to begin with SU.");
  }
}

/** A seed that cannot sign is found now, not at the first connection. */
function checked(authenticator: Authenticator): Authenticator {
  authenticator("nonce");
  return authenticator;
}
