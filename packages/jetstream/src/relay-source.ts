/**
 * Source from which a relay takes messages into a stream of the log: the ingress, for the first
 * shard, and the outboxes that other shards keep for this one.
 */
import type { TroupeError } from "@troupe/core";

import type { DraftMessage } from "./draft-message.ts";
import { unroutableMessage, takenMessage, type ForeignMessage } from "./foreign-message.ts";
import { ingressIdKey } from "./ingress-stream.ts";
import { logMetadata } from "./log-stream.ts";
import { placed, unpacked } from "./outbox.ts";
import type { Subjects } from "./subjects.ts";

export interface RelaySource {
  /** Work of the relay, for people. */
  readonly what: string;
  /** The beginning of the names of its consumers and batches, unique in its stream. */
  readonly name: string;
  readonly stream: string;
  /** Filter of the messages that are taken. */
  readonly filter: string;
  /** Subject in the log's stream of the note up to where it took. */
  readonly marker: string;
  /** In the metadata of the source's stream: which one it is, the same after a restore. */
  readonly identityKey: string;
  /** All of the stream goes when it is taken; otherwise what was taken is overwritten. */
  readonly isPurged: boolean;
  /** The message as the log's stream stores it. Never throws. */
  draft(message: ForeignMessage): DraftMessage;
  /** Message that stands for one that the log refuses (RELAY-4). */
  refused(message: ForeignMessage, why: TroupeError): DraftMessage;
}

/** Messages of foreign clients; `subjects` are those of the first shard. */
export function ingressSource(subjects: Subjects): RelaySource {
  return {
    what: "taking in foreign messages",
    name: "ingress",
    stream: subjects.ingressStream,
    filter: `${subjects.namespace}.>`,
    marker: subjects.taken,
    identityKey: ingressIdKey,
    isPurged: true,
    draft: (message) => placed(takenMessage(message, subjects), subjects),
    refused: (message, why) => unroutableMessage(message, why, subjects),
  };
}

/** Messages that one shard keeps for another one. */
export function outboxSource(from: Subjects, to: Subjects): RelaySource {
  return {
    what: `taking over what shard ${from.shard} sends to shard ${to.shard}`,
    name: `o${from.shard}t${to.shard}`,
    stream: from.stream,
    filter: from.outbox(to.shard),
    marker: to.takenFrom(from.shard),
    identityKey: logMetadata.id,
    isPurged: false,
    draft: unpacked,
    refused: (message, why) => {
      const { subject } = unpacked(message);
      return placed(unroutableMessage({ ...message, subject }, why, to), to);
    },
  };
}
