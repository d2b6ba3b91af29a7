/**
 * The three streams of a namespace: made by whoever comes first, checked by everybody.
 *
 * Several processes may do this at once. Creating a stream that exists with the same configuration
 * succeeds; with another one it is refused, and then the existing stream counts if it is one of
 * ours. Its number of partitions and its identity are fixed, because the subjects already stored
 * depend on the one and everything that remembers a position on the other.
 */
import {
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";

import { TroupeError } from "@troupe/core";
import { LogRefusedError } from "@troupe/core/errors";

import { StreamMismatchError } from "./errors.ts";
import {
  consumersOf,
  duplicateWindowMs,
  logIdentity,
  logStream,
  requireHere,
  type NewStream,
} from "./log-stream.ts";
import { ingressMismatch, ingressStream, type IngressOptions } from "./ingress-stream.ts";
import { serverCode } from "./publish-error.ts";
import { ServerTime } from "./server-time.ts";
import { listed, mismatch } from "./stream-mismatch.ts";
import { removeTornBatch } from "./torn-batch.ts";
import { subjects as subjectsOf, type Subjects } from "./subjects.ts";

export interface StreamOptions extends IngressOptions {
  readonly createStreams: boolean;
  readonly partitions: number;
  /** Undefined takes as many as there are, or makes one. */
  readonly shards?: number | undefined;
  /** A move looks at a log that nobody else may use. @default false */
  readonly isMove?: boolean;
}

const nanosInMs = 1e6;
const streamNotFound = 10059;
const nameInUse = 10058;
/** A cluster that has no leader, no quorum or not enough members yet. */
const notYet: ReadonlySet<number> = new Set([10004, 10005, 10008, 10009, 10076]);

/** Facts that an existing stream decides, whatever the options say. */
export interface PreparedStreams {
  /** Identity of the log, as `Log.end` says it. */
  readonly log: string;
  /** Identity of the log as the stream's metadata has it, as `Log.id` says it. */
  readonly id: string;
  readonly time: ServerTime;
  readonly subjects: Subjects;
  /** The other streams of the log. */
  readonly others: readonly PreparedShard[];
  /** Position at which the log ended when it was moved into several streams. */
  readonly origin: number;
  readonly replicas: number;
  readonly readersMax: number;
  /** Notes for people about how the streams were made. */
  readonly notes: readonly TroupeError[];
  /** Time that the log's stream remembers message ids, in milliseconds. */
  readonly idWindowMs: number;
}

/** A stream of a log that has several. */
export type PreparedShard = Pick<PreparedStreams, "log" | "subjects">;

/** Makes sure that all streams of a namespace exist. @throws StreamMismatchError */
export async function ensureStreams(
  manager: JetStreamManager,
  namespace: string,
  options: StreamOptions,
): Promise<PreparedStreams> {
  const { shards = 1 } = options;
  const wanted = logStream(
    subjectsOf(namespace, options.partitions, { shard: 0, shards }),
    options,
  );
  const found: TimedInfo = await ensureLog(manager, wanted, options.createStreams);
  const time = new ServerTime(found.ts === undefined ? Date.now() : Date.parse(found.ts));
  const { config: shard, created } = found;
  if (options.isMove !== true) requireHere(shard);
  const { id, origin, subjects } = logIdentity(shard, namespace);
  if ((options.shards ?? subjects.shards) !== subjects.shards)
    throw otherShards(shard, subjects, shards);
  if (options.isMove !== true) await removeTornBatch(manager.streams, found);
  const others = await ensureOthers(manager, { id, subjects }, options);
  const control = controlStream(subjects, options);
  checkControl((await ensureStream(manager, control, options.createStreams)).config, subjects);
  const notes = await ensureIngress(manager, subjects, options);
  const log = `${subjects.stream} ${created}`;
  const idWindowMs = shard.duplicate_window / nanosInMs;
  const { num_replicas: replicas } = shard;
  const readersOfShard = consumersOf(shard, await accountConsumers(manager, shard));
  const readersMax = readersOfShard * subjects.shards;
  const made = { log, id, time, subjects, others, origin };
  return { ...made, replicas, readersMax, idWindowMs, notes };
}

function otherShards(config: StreamConfig, { shards }: Subjects, wanted: number): TroupeError {
  return mismatch(
    config,
    `it is one of ${shards} shards and not of ${wanted}: their number is chosen when a namespace is made; troupe move takes a log of one shard into a namespace of several`,
  );
}

/** The first one says how many there are, and which log they are of. */
async function ensureOthers(
  manager: JetStreamManager,
  first: { readonly id: string; readonly subjects: Subjects },
  options: StreamOptions,
): Promise<readonly PreparedShard[]> {
  const { namespace, partitions, shards } = first.subjects;
  const others: PreparedShard[] = [];
  for (let shard = 1; shard < shards; shard++) {
    const wanted = subjectsOf(namespace, partitions, { shard, shards });
    const stream = logStream(wanted, { ...options, id: first.id });
    const found = await ensureLog(manager, stream, options.createStreams);
    if (options.isMove !== true) requireHere(found.config);
    requireSameLog(found.config, first, wanted);
    if (options.isMove !== true) await removeTornBatch(manager.streams, found);
    others.push({ subjects: wanted, log: `${wanted.stream} ${found.created}` });
  }
  return others;
}

function requireSameLog(
  config: StreamConfig,
  first: { readonly id: string; readonly subjects: Subjects },
  wanted: Subjects,
): void {
  const { id, subjects } = logIdentity(config, wanted.namespace);
  const isSame =
    id === first.id &&
    subjects.partitions === wanted.partitions &&
    subjects.shards === wanted.shards &&
    subjects.shard === wanted.shard;
  if (isSame) return;
  throw mismatch(
    config,
    `it is not the shard ${wanted.shard} of ${wanted.shards} of the log ${first.id} that ${first.subjects.stream} is of: restore all streams of a log from one backup`,
  );
}

/** An account that has fewer consumers than a log may need says how many there are. */
async function ensureLog(
  manager: JetStreamManager,
  wanted: NewStream,
  create: boolean,
): Promise<StreamInfo> {
  try {
    return await ensureStream(manager, wanted, create);
  } catch (error) {
    const isBounded =
      error instanceof StreamMismatchError &&
      error.details["serverCode"] === serverCode.consumersMax;
    if (!isBounded) throw error;
    return ensureStream(manager, { ...wanted, max_consumers: -1 }, create);
  }
}

/**
 * Number of consumers that the account allows for a stream without a limit of its own; undefined
 * when it has none.
 */
async function accountConsumers(
  manager: JetStreamManager,
  { max_consumers: ofStream }: StreamConfig,
): Promise<number | undefined> {
  if (ofStream > 0) return undefined;
  try {
    return (await manager.getAccountInfo()).limits.max_consumers;
  } catch {
    // Not everybody may ask; the server still refuses what is too much.
    return undefined;
  }
}

/** The server's answer says when it was given, and the client does not declare it. */
type TimedInfo = StreamInfo & { readonly ts?: string };

/**
 * The server keeps the ingress's room free for it, and may not have so much: then the ingress gets
 * half, and so on, as long as that is of use. Differences are noted.
 */
async function ensureIngress(
  manager: JetStreamManager,
  subjects: Subjects,
  options: StreamOptions,
): Promise<readonly TroupeError[]> {
  for (let bytes = options.ingressBytesMax; ; bytes = Math.floor(bytes / 2)) {
    try {
      const wanted = ingressStream(subjects, { ...options, ingressBytesMax: bytes });
      const found = (await ensureStream(manager, wanted, options.createStreams)).config;
      const why = ingressMismatch(found, subjects);
      if (why !== undefined && options.isMove !== true) throw mismatch(found, why);
      return bytes === options.ingressBytesMax ? [] : [smallerIngress(found, options)];
    } catch (error) {
      const isFull =
        error instanceof StreamMismatchError && noRoom.has(error.details["serverCode"]);
      if (!isFull || bytes / 2 < ingressBytesLeast) throw error;
    }
  }
}

/** The server, or this account, has no room for a stream's `max_bytes`. */
const noRoom: ReadonlySet<unknown> = new Set([10_002, 10_023, 10_047]);
/** A few of the largest messages. */
const ingressBytesLeast = 4 * 1024 * 1024;

function smallerIngress(config: StreamConfig, { ingressBytesMax }: StreamOptions): TroupeError {
  return new LogRefusedError(
    `The server has no room to keep ${ingressBytesMax} bytes free for the stream ${config.name}: it has ${config.max_bytes}, and refuses foreign messages beyond. Give the server more room, or set ingressBytesMax.`,
    { details: { stream: config.name, bytes: config.max_bytes, bytesMax: ingressBytesMax } },
  );
}

export function controlStream(
  subjects: Subjects,
  { replicas }: { readonly replicas: number },
): NewStream {
  return {
    name: subjects.controlStream,
    description: `Troupe ${subjects.namespace}: manifests and floors`,
    subjects: [...subjects.controlSubjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs_per_subject: 1,
    num_replicas: replicas,
    duplicate_window: nanos(duplicateWindowMs),
    allow_direct: true,
  };
}

/** Makes a stream, or finds it as it is. @throws StreamMismatchError */
export async function ensureStream(
  manager: JetStreamManager,
  wanted: NewStream,
  create: boolean,
): Promise<StreamInfo> {
  const existing = await infoOf(manager, wanted.name);
  if (existing !== undefined) return existing;
  if (!create) {
    throw new StreamMismatchError(
      `The stream ${wanted.name} does not exist and createStreams is false: create it first.`,
      { details: { stream: wanted.name } },
    );
  }
  try {
    return await manager.streams.add(wanted);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || notYet.has(error.code)) throw error;
    if (error.code !== nameInUse) throw refused(wanted, error);
    const winner = await infoOf(manager, wanted.name);
    if (winner === undefined) throw error;
    return winner;
  }
}

async function infoOf(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}

function checkControl(config: StreamConfig, subjects: Subjects): void {
  const missing = subjects.controlSubjects.filter((subject) => !config.subjects.includes(subject));
  if (missing.length > 0) throw mismatch(config, `it does not listen to ${listed(missing)}`);
  if (config.max_msgs_per_subject !== 1)
    throw mismatch(config, "it keeps more than the last value");
  if (!config.allow_direct) throw mismatch(config, "it does not allow direct gets");
  if (config.max_age > 0 || config.max_msgs > 0 || config.max_bytes > 0)
    throw mismatch(config, "it has a limit at which it drops floors and manifests");
}

/** Faults of the streams now that were not there when they were prepared. */
export async function checkStreams(
  manager: JetStreamManager,
  subjects: Subjects,
): Promise<readonly TroupeError[]> {
  type Check = readonly [string, (config: StreamConfig) => unknown];
  const control: Check = [subjects.controlStream, (config) => checkControl(config, subjects)];
  const checks: readonly Check[] = [
    [
      subjects.stream,
      (config) => {
        requireHere(config);
        return logIdentity(config, subjects.namespace);
      },
    ],
    ...(subjects.shard === 0 ? [control] : []),
  ];
  const found = checks.map(async ([name, check]) => {
    const info = await infoOf(manager, name);
    if (info === undefined) return gone(name);
    try {
      check(info.config);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof TroupeError) return thrown;
      throw thrown;
    }
  });
  return (await Promise.all(found)).filter((trouble) => trouble !== undefined);
}

function gone(stream: string): StreamMismatchError {
  return new StreamMismatchError(
    `The stream ${stream} is gone: somebody removed it. Restore it from a backup, or start again on a new one.`,
    { details: { stream } },
  );
}

function refused(wanted: NewStream, cause: JetStreamApiError): StreamMismatchError {
  return new StreamMismatchError(`The stream ${wanted.name} cannot be created: ${cause.message}.`, {
    details: { stream: wanted.name, serverCode: cause.code },
    cause,
  });
}
