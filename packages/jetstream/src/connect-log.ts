/** Connects a Troupe log to JetStream. */
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { nuid, type NatsConnection } from "@nats-io/nats-core";
import { DefinitionError } from "@troupe/core/errors";
import { partitionCountDefault, requireOptions, requireShards, type Log } from "@troupe/core/log";

import { AcceptWindow } from "./accept-window.ts";
import { jetStreamFailure, serverKind, type ServerKind } from "./connect-failure.ts";
import { connectDefaults, connectLogRules, type ConnectLogOptions } from "./connect-options.ts";
import { dial } from "./dial.ts";
import { headerRoomBytes } from "./draft-message.ts";
import { Faults } from "./faults.ts";
import { Link } from "./link.ts";
import { pubAckReader } from "./pub-ack.ts";
import { PullBudget } from "./pull-budget.ts";
import { ReadWindow } from "./read-window.ts";
import { requireInboxPrefix } from "./reply-address.ts";
import { ReplyBox } from "./reply-box.ts";
import { retryUnavailable } from "./retry.ts";
import { checkServer } from "./server-check.ts";
import type { Session } from "./session.ts";
import { logOf, type ShardSessions } from "./shard-sessions.ts";
import { ensureStreams, type PreparedStreams } from "./streams.ts";
import { subjects as subjectsOf } from "./subjects.ts";

const commitMessagesMax = 1000;

/**
 * A batch costs the server more than 2 ms whatever its size, a single record much less, but a round
 * trip; on several replicas that trip is longer. Measured: see ARCHITECTURE.md, "Group commit".
 */
const chainMinAlone = 16;
const chainMinReplicated = 4;

/**
 * Consumers and batches are named after the connection, and the server takes batch ids of up to 64
 * characters.
 */
const nameLengthMax = 40;

/**
 * Connects to the servers, creates the namespace's streams if need be, and returns the log.
 *
 * @throws DefinitionError when an option is not usable; nothing was made
 * @throws ServerAddressError when an address is none
 * @throws AccessDeniedError when the server refuses the credentials, or the start needs more rights
 * @throws UnsupportedServerError when the server is too old or has no JetStream
 * @throws StreamMismatchError when a stream of that name is something else
 * @throws LogUnavailableError when no server was ready within `startTimeoutMs`
 *
 * @example
 * ```ts
 * const log = await connectLog({
 *   servers: "nats://127.0.0.1:4222",
 *   namespace: "acme.support",
 * });
 * ```
 */
export async function connectLog(options: ConnectLogOptions = {}): Promise<Log> {
  requireOptions("Connect option ", options, connectLogRules);
  return connectChecked(options);
}

/** The same, when the options were looked at. */
export async function connectChecked(options: ConnectLogOptions): Promise<Log> {
  const { createStreams = connectDefaults.createStreams } = options;
  return logOf(await openSessions(options), { createStreams });
}

/** Sessions that a log works with. A move may open one that nobody else may use. */
export async function openSessions(
  options: ConnectLogOptions,
  { isMove = false }: { readonly isMove?: boolean } = {},
): Promise<ShardSessions> {
  const { partitions = partitionCountDefault, shards = 1 } = options;
  requireShards({ partitions, shards });
  requireInboxPrefix(options.inboxPrefix ?? connectDefaults.inboxPrefix);
  const namespace = checkedNamespace(options.namespace ?? connectDefaults.namespace);
  const connection = await dial(options);
  try {
    checkServer(connection);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const kind = serverKind(connection);
    const patience = { timeoutMs: options.startTimeoutMs ?? startTimeoutMsOf(kind), ...kind };
    const ingressMessageBytesMax = payloadBytesMax(connection);
    const streams = { ...options, isMove, ingressMessageBytesMax };
    const prepared = await prepareStreams(manager, namespace, streams, patience);
    return shardSessions(newSession({ connection, manager, prepared, options }), prepared);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * Time to wait for JetStream: where another server of the cluster would have it, that one is found
 * at once or starts up.
 */
function startTimeoutMsOf({ hasJetStream }: ServerKind): number {
  return hasJetStream ? connectDefaults.startTimeoutMs : connectDefaults.otherServerTimeoutMs;
}

function shardSessions(first: Session, { id, origin, others }: PreparedStreams): ShardSessions {
  const rest = others.map(({ log, subjects }): Session => ({
    ...first,
    subjects,
    log,
    identity: { id },
    readPubAck: pubAckReader(subjects.stream),
  }));
  return { first, all: [first, ...rest], origin };
}

function checkedNamespace(namespace: string): string {
  if (/^[A-Za-z0-9][\w-]*(\.[\w-]+)*$/.test(namespace)) return namespace;
  throw new DefinitionError(
    `${JSON.stringify(namespace)} cannot be a namespace: use letters, digits, _ and -, in parts separated by dots.`,
    { details: { namespace } },
  );
}

/** A cluster without a leader says that it has no JetStream for a moment. */
function prepareStreams(
  manager: JetStreamManager,
  namespace: string,
  options: ConnectLogOptions & {
    readonly ingressMessageBytesMax: number;
    readonly isMove: boolean;
  },
  { timeoutMs, ...kind }: ServerKind & { readonly timeoutMs: number },
): Promise<PreparedStreams> {
  const streamOptions = {
    createStreams: options.createStreams ?? connectDefaults.createStreams,
    partitions: options.partitions ?? partitionCountDefault,
    shards: options.shards,
    replicas: options.replicas ?? connectDefaults.replicas,
    ingressBytesMax: options.ingressBytesMax ?? connectDefaults.ingressBytesMax,
    ingressMessageBytesMax: options.ingressMessageBytesMax,
    isMove: options.isMove,
  };
  const attempt = async (): Promise<PreparedStreams> => {
    try {
      return await ensureStreams(manager, namespace, streamOptions);
    } catch (cause) {
      throw jetStreamFailure(cause, subjectsOf(namespace, streamOptions.partitions).stream, kind);
    }
  };
  return retryUnavailable(attempt, { timeoutMs });
}

/** Bytes that are left for a payload when our headers have their room. */
function payloadBytesMax(connection: NatsConnection): number {
  return Math.max(1, (connection.info?.max_payload ?? 1_048_576) - headerRoomBytes);
}

function newSession(made: {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly prepared: PreparedStreams;
  readonly options: ConnectLogOptions;
}): Session {
  const { connection, options, prepared } = made;
  const { subjects } = prepared;
  const name = (options.name ?? connectDefaults.name).replaceAll(/[^\w-]/g, "_");
  const id = `${name.slice(0, nameLengthMax)}-${nuid.next().slice(-8)}`;
  const inbox = `${options.inboxPrefix ?? connectDefaults.inboxPrefix}.${nuid.next()}`;
  const link = new Link(connection);
  const faults = new Faults();
  for (const note of prepared.notes) faults.tell("making the streams", note);
  link.onDenied(({ error, operation, subject }) => {
    const minute = Math.floor(performance.now() / 60_000);
    faults.tellOnce(`${operation} ${subject} ${minute}`, "using the server", error);
  });
  return {
    link,
    replyBox: new ReplyBox(link, `${inbox}.ack`),
    manager: made.manager,
    faults,
    subjects,
    log: prepared.log,
    identity: { id: prepared.id },
    time: prepared.time,
    limits: {
      payloadBytesMax: payloadBytesMax(connection),
      commitMessagesMax,
      chainMin: prepared.replicas === 1 ? chainMinAlone : chainMinReplicated,
      readersMax: prepared.readersMax,
      idWindowMs: prepared.idWindowMs,
    },
    readPubAck: pubAckReader(subjects.stream),
    id,
    inbox,
    commitTimeoutMs: options.commitTimeoutMs ?? connectDefaults.commitTimeoutMs,
    acceptTimeoutMs: options.acceptTimeoutMs ?? connectDefaults.acceptTimeoutMs,
    acceptWindow: new AcceptWindow({
      flyingMax: options.acceptsMax ?? connectDefaults.acceptsMax,
      waitingMax: options.acceptsWaitingMax ?? connectDefaults.acceptsWaitingMax,
    }),
    pullBudget: new PullBudget(),
    readWindow: new ReadWindow(),
    readerHeartbeatMs: options.readerHeartbeatMs ?? connectDefaults.readerHeartbeatMs,
  };
}
