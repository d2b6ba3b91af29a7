/**
 * The stream that holds the log: its making, the demands on an existing one, and the part of its
 * metadata that stays for ever: the number of partitions, which the subjects stored there depend
 * on, and the identity of the log, which everything depends on that remembers a position.
 */
import { randomBytes } from "node:crypto";

import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { nanos, type WithRequired } from "@nats-io/nats-core";

import { LogUnavailableError } from "@troupe/core/errors";
import { shardsMax } from "@troupe/core/log";

import { LogMovedError } from "./errors.ts";
import { listed, mismatch } from "./stream-mismatch.ts";
import { subjects as subjectsOf, type ShardPlace, type Subjects } from "./subjects.ts";

export type NewStream = WithRequired<Partial<StreamConfig>, "name">;

/** Each partition has a subject of its own in the configuration of the stream. */
export const partitionsMax = 1024;

/**
 * Without a number of its own a stream gets the server's, which is 1000: too few for 64 partitions
 * of 16 types. One that nobody uses costs nothing.
 */
const consumersMax = 65_536;
const consumersMaxOfServer = 1000;

/** Most consumers of an existing stream, in an account that allows so many. */
export function consumersOf({ max_consumers: most }: StreamConfig, ofAccount = 0): number {
  if (most > 0) return most;
  return ofAccount > 0 ? ofAccount : consumersMaxOfServer;
}

export const duplicateWindowMs = 120_000;

/**
 * In the metadata of the log's stream: the number of its partitions, and its identity. The process
 * that makes the stream decides both for ever, and several that do so at once agree, because the
 * server lets one of them make it.
 */
export const logMetadata: LogMetadata = Object.freeze({
  partitions: "troupe-partitions",
  id: "troupe-log",
  shards: "troupe-shards",
  shard: "troupe-shard",
  origin: "troupe-origin",
  movingFrom: "troupe-moving-from",
  movedTo: "troupe-moved-to",
});

interface LogMetadata {
  readonly partitions: string;
  readonly id: string;
  /** Number of streams of the log; absent means one. */
  readonly shards: string;
  /** Number of this one among them. */
  readonly shard: string;
  /** Position at which the log ended when it was moved from one stream into several. */
  readonly origin: string;
  /** The namespace that the log is just being moved from; nobody uses it until that is over. */
  readonly movingFrom: string;
  /** The namespace that the log is in now. */
  readonly movedTo: string;
}

/** @throws LogMovedError, or LogUnavailableError while the log is being moved here */
export function requireHere({ metadata = {}, mirror, name, sealed }: StreamConfig): void {
  if (sealed) {
    const { [logMetadata.movedTo]: to = "another one" } = metadata;
    throw new LogMovedError(
      `The log of the stream ${name} was moved into the namespace ${to}: connect to that.`,
      { details: { stream: name, movedTo: to } },
    );
  }
  const { [logMetadata.movingFrom]: from } = metadata;
  if (mirror === undefined && from === undefined) return;
  throw new LogUnavailableError(
    `A log is being moved into the stream ${name}, from the namespace ${from ?? "of another stream"}: wait until that is over, or run \`troupe move\` again.`,
    { details: { stream: name, movingFrom: from } },
  );
}

/**
 * The stream of inputs, journals, dead letters and timers. Nothing is ever dropped to make room: it
 * has no limit of its own, and a server or account that is full refuses. With timers the server
 * allows no other way to discard than dropping the oldest, so a limit is a mismatch.
 */
export function logStream(
  subjects: Subjects,
  { id, replicas }: { readonly replicas: number; readonly id?: string | undefined },
): NewStream {
  return {
    name: subjects.stream,
    description: `Troupe ${subjects.namespace}: inputs, journals, dead letters, timers`,
    subjects: [...subjects.streamSubjects],
    metadata: logMetadataOf(subjects, id ?? newLogId()),
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs: -1,
    max_bytes: -1,
    num_replicas: replicas,
    duplicate_window: nanos(duplicateWindowMs),
    allow_atomic: true,
    allow_msg_schedules: true,
    allow_direct: true,
    max_consumers: consumersMax,
  };
}

/** The part of the metadata that stays for ever. */
export function logMetadataOf(
  { partitions, shard, shards }: Subjects,
  id: string,
): Record<string, string> {
  const place =
    shards === 1
      ? {}
      : { [logMetadata.shards]: String(shards), [logMetadata.shard]: String(shard) };
  return { [logMetadata.partitions]: String(partitions), [logMetadata.id]: id, ...place };
}

/** Letters and digits that are not taken for each other, 32 of them. */
const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

function newLogId(): string {
  return Array.from(randomBytes(10), (byte) => idAlphabet[byte % idAlphabet.length]).join("");
}

interface LogIdentity {
  readonly id: string;
  /**
   * Position at which the log ended when it was moved into several streams; 0 when it never was.
   */
  readonly origin: number;
  readonly subjects: Subjects;
}

/**
 * Identity for which an existing stream was made, when it can hold a log. @throws
 * StreamMismatchError
 */
export function logIdentity(config: StreamConfig, namespace: string): LogIdentity {
  const partitions = Number(config.metadata?.[logMetadata.partitions]);
  if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > partitionsMax) {
    throw mismatch(
      config,
      `its metadata ${logMetadata.partitions} is not the number of its partitions`,
    );
  }
  const id = config.metadata?.[logMetadata.id] ?? "";
  if (!/^[\w-]{1,40}$/.test(id))
    throw mismatch(config, `its metadata ${logMetadata.id} is not the identity of a log`);
  const subjects = subjectsOf(namespace, partitions, placeOf(config, partitions));
  checkLog(config, subjects);
  return { id, origin: Number(config.metadata?.[logMetadata.origin] ?? 0), subjects };
}

function placeOf(config: StreamConfig, partitions: number): ShardPlace {
  const { [logMetadata.shard]: of = "0", [logMetadata.shards]: count = "1" } =
    config.metadata ?? {};
  const [shard, shards] = [Number(of), Number(count)];
  const isPlace =
    Number.isSafeInteger(shards) &&
    Number.isSafeInteger(shard) &&
    shard >= 0 &&
    shard < shards &&
    shards <= shardsMax &&
    partitions % shards === 0;
  if (isPlace) return { shard, shards };
  throw mismatch(config, `its metadata ${logMetadata.shard} and ${logMetadata.shards} are none`);
}

function checkLog(config: StreamConfig, subjects: Subjects): void {
  const missing = subjects.streamSubjects.filter((subject) => !config.subjects.includes(subject));
  if (missing.length > 0) throw mismatch(config, `it does not listen to ${listed(missing)}`);
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
}
