/**
 * A message that a turn sends, as its record tells it: target, id, and a digest of the payload.
 *
 * The payload itself lies on the log: a commit stores the record and, right behind it, what the
 * turn sends, so the message with the index i lies at the record's revision + 1 + i (timers are set
 * after these).
 */
import type { Address } from "../definition/message/address.ts";

export interface SentMessage {
  /** `agent/stock/lamp`, or `topic/orders/alice` for a publication. */
  readonly to: string;
  readonly id: string;
  /** Message name; absent for a publication. */
  readonly message?: string | undefined;
  /** Digest of the payload; see `Digests`. */
  readonly digest: string;
}

/** A change of a timer: `atMs` or `everyMs` when it was set, neither when it was cancelled. */
export interface RecordedTimer {
  readonly id: string;
  readonly atMs?: number | undefined;
  readonly everyMs?: number | undefined;
  /** The message that the timer sends; absent when it was cancelled. */
  readonly sends?: SentMessage | undefined;
}

export function addressText({ key, kind, name }: Address): string {
  return `${kind}/${name}/${key}`;
}

/** To, id, digest, message. */
export type WireSent = readonly [string, string, string, string?];

export function toWireSent({ digest, id, message, to }: SentMessage): WireSent {
  return message === undefined ? [to, id, digest] : [to, id, digest, message];
}

export function fromWireSent([to, id, digest, message]: WireSent): SentMessage {
  return { to, id, message, digest };
}

/** Id, time, interval, what it sends. */
export type WireTimer = readonly [string, number, number, WireSent?];

export function toWireTimer({ atMs = 0, everyMs = 0, id, sends }: RecordedTimer): WireTimer {
  return sends === undefined ? [id, atMs, everyMs] : [id, atMs, everyMs, toWireSent(sends)];
}

export function fromWireTimer([id, atMs, everyMs, sends]: WireTimer): RecordedTimer {
  const timer = { id, atMs: atMs || undefined, everyMs: everyMs || undefined };
  return sends === undefined ? timer : { ...timer, sends: fromWireSent(sends) };
}
