/**
 * The ingress: the stream that foreign clients write to (I14).
 *
 * It interprets nothing that a message could do to others: no roll-ups, schedules, batches,
 * counters or times to live, so the server refuses a message that asks for one. It is bounded and
 * refuses messages beyond that; nothing is dropped, and messages that the log has taken are purged.
 * Ids are compared within this stream alone, so none can swallow a message of ours.
 */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { nanos, nuid, type WithRequired } from "@nats-io/nats-core";

import type { Subjects } from "./subjects.ts";

export interface IngressOptions {
  readonly replicas: number;
  /** Room for what foreign clients wrote and no worker has taken yet. */
  readonly ingressBytesMax: number;
  /** Largest foreign message with its headers, so that the log has room for it. */
  readonly ingressMessageBytesMax: number;
}

const duplicateWindowMs = 120_000;

/**
 * Identity of the ingress, in its metadata: another one for each that is made, the same after a
 * restore.
 */
export const ingressIdKey = "troupe-ingress";

export function ingressStream(
  subjects: Subjects,
  options: IngressOptions,
): WithRequired<Partial<StreamConfig>, "name"> {
  return {
    name: subjects.ingressStream,
    description: `Troupe ${subjects.namespace}: what foreign clients wrote and the log has not taken`,
    subjects: [...subjects.ingressSubjects],
    metadata: { [ingressIdKey]: nuid.next() },
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_bytes: options.ingressBytesMax,
    max_msg_size: options.ingressMessageBytesMax,
    num_replicas: options.replicas,
    duplicate_window: nanos(duplicateWindowMs),
    allow_rollup_hdrs: false,
    allow_direct: false,
  };
}

/** Settings with which a foreign message could do more than lie there. */
const harmful = [
  "allow_rollup_hdrs",
  "allow_msg_schedules",
  "allow_atomic",
  "allow_batched",
  "allow_msg_counter",
  "allow_msg_ttl",
] as const;

/** Reason why an existing stream cannot be an ingress; undefined when it can. */
export function ingressMismatch(config: StreamConfig, subjects: Subjects): string | undefined {
  const missing = subjects.ingressSubjects.filter((subject) => !config.subjects.includes(subject));
  if (missing.length > 0) return `it does not listen to ${missing.join(", ")}`;
  const settings = config as unknown as Readonly<Record<string, unknown>>;
  const allowed = harmful.filter((setting) => settings[setting] === true);
  if (allowed.length > 0) return `it has ${allowed.join(", ")}, which foreign clients must not use`;
  if (config.subject_transform !== undefined || config.republish !== undefined)
    return "it moves subjects";
  if (config.retention !== RetentionPolicy.Limits) return "its retention is not limits";
  if (config.discard !== DiscardPolicy.New) {
    return "it would drop the oldest message when it is full: set discard new on it";
  }
  if (config.max_age > 0) return "it would drop messages that have grown old";
  if (config.max_msgs_per_subject > 0 && !config.discard_new_per_subject)
    return "it would drop messages of a subject";
  if (config.deny_purge) return "it denies purging, by which the log makes room again";
  return undefined;
}
