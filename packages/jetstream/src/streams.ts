/**
 * The three streams of a namespace: made by whoever comes first, checked by everybody.
 *
 * Several processes may do this at once. Creating a stream that exists with the same configuration
 * succeeds; with another one it is refused, and then the existing stream counts if it is one of
 * ours. Its number of partitions wins over the option, because the subjects already stored depend
 * on it.
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
import { nanos, type WithRequired } from "@nats-io/nats-core";

import { LogRefusedError, type TroupeError } from "@troupe/core";

import { StreamMismatchError } from "./errors.ts";
import { ingressMismatch, ingressStream, type IngressOptions } from "./ingress-stream.ts";
import { ServerTime } from "./server-time.ts";
import type { Subjects } from "./subjects.ts";

export interface StreamOptions extends IngressOptions {
  readonly createStreams: boolean;
  readonly partitions: number;
}

type NewStream = WithRequired<Partial<StreamConfig>, "name">;

const duplicateWindowMs = 120_000;
const nanosInMs = 1e6;
const streamNotFound = 10059;
const nameInUse = 10058;
/** A cluster that has no leader, no quorum or not enough members yet. */
const notYet: ReadonlySet<number> = new Set([10004, 10005, 10008, 10009, 10076]);

/** What an existing stream decides, whatever the options say. */
export interface PreparedStreams {
  /** Which log it is, as `Log.end` says it. */
  readonly log: string;
  readonly time: ServerTime;
  readonly partitions: number;
  readonly replicas: number;
  /** What people should know about how the streams were made. */
  readonly notes: readonly TroupeError[];
  /** How long the log's stream remembers message ids. */
  readonly idWindowMs: number;
}

/** The number of partitions, in the metadata of the shard's stream. */
const partitionsKey = "troupe-partitions";

/** Makes sure that all streams exist. @throws StreamMismatchError */
export async function ensureStreams(
  manager: JetStreamManager,
  subjects: Subjects,
  options: StreamOptions,
): Promise<PreparedStreams> {
  const wanted = shardStream(subjects, options);
  const found: TimedInfo = await ensureStream(manager, wanted, options.createStreams);
  const time = new ServerTime(found.ts === undefined ? Date.now() : Date.parse(found.ts));
  const { config: shard, created } = found;
  const partitions = partitionsOf(shard, subjects);
  const control = controlStream(subjects, options);
  checkControl((await ensureStream(manager, control, options.createStreams)).config, subjects);
  const notes = await ensureIngress(manager, subjects, options);
  const log = `${subjects.stream} ${created}`;
  const idWindowMs = shard.duplicate_window / nanosInMs;
  return { log, time, partitions, replicas: shard.num_replicas, idWindowMs, notes };
}

/** The server's answer says when it was given, and the client does not declare it. */
type TimedInfo = StreamInfo & { readonly ts?: string };

/**
 * The server keeps the ingress's room free for it, and may not have so much: then the ingress gets
 * half, and so on, as long as that is of use. What came out differently is noted.
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
      if (why !== undefined) throw mismatch(found, why);
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

/**
 * The stream of inputs, journals, dead letters and timers. Nothing is ever dropped to make room: it
 * has no limit of its own, and a server or account that is full refuses. With timers the server
 * allows no other way to discard than dropping the oldest, so a limit is a mismatch.
 */
export function shardStream(subjects: Subjects, options: StreamOptions): NewStream {
  return {
    name: subjects.stream,
    description: `Troupe ${subjects.namespace}: inputs, journals, dead letters, timers`,
    subjects: [...subjects.streamSubjects],
    metadata: { [partitionsKey]: String(options.partitions) },
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs: -1,
    max_bytes: -1,
    num_replicas: options.replicas,
    duplicate_window: nanos(duplicateWindowMs),
    allow_atomic: true,
    allow_msg_schedules: true,
    allow_direct: true,
    max_consumers: -1,
  };
}

function controlStream(subjects: Subjects, options: StreamOptions): NewStream {
  return {
    name: subjects.controlStream,
    description: `Troupe ${subjects.namespace}: manifests and floors`,
    subjects: [...subjects.controlSubjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs_per_subject: 1,
    num_replicas: options.replicas,
    duplicate_window: nanos(duplicateWindowMs),
    allow_direct: true,
  };
}

async function ensureStream(
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

/** The partitions that an existing stream was made for. */
function partitionsOf(config: StreamConfig, subjects: Subjects): number {
  const missing = subjects.streamSubjects.filter((subject) => !config.subjects.includes(subject));
  if (missing.length > 0) throw mismatch(config, `it does not listen to ${missing.join(", ")}`);
  if (config.allow_atomic !== true) throw mismatch(config, "it does not allow atomic batches");
  if (!config.allow_direct) throw mismatch(config, "it does not allow direct gets");
  if (config.allow_msg_schedules !== true) {
    throw mismatch(
      config,
      "it does not allow message schedules, which timers need: set allow_msg_schedules and discard old on it",
    );
  }
  if (config.max_msgs > 0 || config.max_bytes > 0) {
    throw mismatch(
      config,
      "it has a limit of messages or bytes, at which it would drop the oldest",
    );
  }
  if (config.max_age > 0 || config.max_msgs_per_subject > 0) {
    throw mismatch(
      config,
      "it has a limit of age or of messages per subject, at which it drops records of journals: set max_age and max_msgs_per_subject to none",
    );
  }
  if (config.retention !== RetentionPolicy.Limits)
    throw mismatch(config, "its retention is not limits");
  if (config.subject_transform !== undefined) throw mismatch(config, "it moves subjects");
  const partitions = Number(config.metadata?.[partitionsKey]);
  if (!Number.isSafeInteger(partitions) || partitions < 1) {
    throw mismatch(config, `its metadata ${partitionsKey} is not the number of its partitions`);
  }
  return partitions;
}

function checkControl(config: StreamConfig, subjects: Subjects): void {
  const missing = subjects.controlSubjects.filter((subject) => !config.subjects.includes(subject));
  if (missing.length > 0) throw mismatch(config, `it does not listen to ${missing.join(", ")}`);
  if (config.max_msgs_per_subject !== 1)
    throw mismatch(config, "it keeps more than the last value");
  if (!config.allow_direct) throw mismatch(config, "it does not allow direct gets");
  if (config.max_age > 0 || config.max_msgs > 0 || config.max_bytes > 0)
    throw mismatch(config, "it has a limit at which it drops floors and manifests");
}

/** What is wrong with the streams now, that was right when they were prepared. */
export async function checkStreams(
  manager: JetStreamManager,
  subjects: Subjects,
): Promise<readonly StreamMismatchError[]> {
  const checks: readonly [string, (config: StreamConfig) => unknown][] = [
    [subjects.stream, (config) => partitionsOf(config, subjects)],
    [subjects.controlStream, (config) => checkControl(config, subjects)],
  ];
  const found = checks.map(async ([name, check]) => {
    const info = await infoOf(manager, name);
    if (info === undefined) return gone(name);
    try {
      check(info.config);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof StreamMismatchError) return thrown;
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

function mismatch(config: StreamConfig, why: string): StreamMismatchError {
  return new StreamMismatchError(
    `The stream ${config.name} cannot hold a Troupe log: ${why}. Use another namespace, or correct the stream.`,
    { details: { stream: config.name } },
  );
}
