/**
 * Base records: an agent's state in its journal, so that what came before it may be removed.
 *
 * A snapshot is a cache of the fold; a base record is the truth once the records before it are
 * gone. So it stands in the journal itself, under the same fence, carries a checksum, and says with
 * which code its state was made.
 *
 *  BASE-1 A journal begins at its first record, or at a base record. A reader from the beginning
 *     starts from the base that the records after it follow on, and passes over older records that
 *     are left (a purge may have been interrupted).
 *  BASE-2 A base in the middle of what is known changes nothing, but for an end (BASE-3).
 *  BASE-3 `ctx.end()` is the turn and a base record in one commit: the state begins again. Old code
 *     does not know the kind and waits (I15), so it never folds over an end or starts from nothing.
 *  BASE-5 A state with personal data is sealed as a whole with the keys of everybody whose data are
 *     in it. Once one of them is erased nothing of it is left, and the agent goes on from its
 *     initial state; so data of others are refused (`retention`).
 *  BASE-4 Nothing is removed but what lies before a base record that the log's leader has.
 */
import { crc32 } from "node:zlib";

import { BaseTooLargeError, CorruptBaseError } from "../errors/state-errors.ts";
import type { AfterEnd } from "../definition/context.ts";
import type { AgentId } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../wire/payload.ts";
import { recordFormat } from "./turn-record-codec.ts";

/** The journal from which a fork was made, and the place in it. */
export interface ForkedFrom {
  /** Identity of that log. */
  readonly log: string;
  readonly agent: AgentId;
  /** The last turn that both share. */
  readonly turn: number;
  /** Position of its record there. */
  readonly revision: Position;
}

export interface BaseRecord {
  /** Identity of the log whose positions it names, as in turn records. */
  readonly log: string;
  /** Turns before it: the next record is turn `turns + 1`. */
  readonly turns: number;
  /** Position of the last handled input; everything up to it is a duplicate (I4). */
  readonly lastInput: Position;
  /**
   * The state after these turns; absent when the agent has ended and has none, sealed when it holds
   * personal data.
   */
  readonly state: unknown;
  /** Version of the state's shape. */
  readonly stateVersion: number;
  /** The versions with which the state was folded, as a snapshot says them. */
  readonly foldVersion: string;
  /** Position of the record before it, or of the last input where that is its own turn. */
  readonly previous: Position;
  /** Time at which the last record before it was stored, in milliseconds since the epoch. */
  readonly coveredAtMs: number;
  /** Inputs whose asks were left open and are not answered (ANSWER-1). */
  readonly openAsks: readonly Position[];
  /** Set when the agent ended with its last turn. */
  readonly ended?: AfterEnd | undefined;
  /** Set when the journal begins here as a fork of another one. */
  readonly from?: ForkedFrom | undefined;
  readonly worker: string;
  /** Code version of the worker. */
  readonly version: string;
}

/** @throws BaseTooLargeError */
export function encodeBaseRecord(base: BaseRecord, agent: string, bytesMax: number): Uint8Array {
  const { turns, lastInput, state, stateVersion, foldVersion, previous, coveredAtMs } = base;
  const { log, openAsks, ended, version, worker } = base;
  const content: WireContent = {
    l: log,
    n: turns,
    i: lastInput,
    s: state,
    sv: stateVersion,
    f: foldVersion,
    p: previous,
    a: coveredAtMs,
    w: worker,
    c: version,
  };
  if (openAsks.length > 0) content.o = openAsks;
  if (ended !== undefined) content.e = ended;
  if (base.from !== undefined) content.g = wireFrom(base.from);
  const body = encodeRecordPayload(content);
  const kind = base.from === undefined ? "base" : "forked";
  const wire: WireBase = { v: recordFormat, kind, x: crc32(body), b: body };
  const bytes = encodeRecordPayload(wire);
  if (bytes.byteLength <= bytesMax) return bytes;
  throw new BaseTooLargeError(
    `The state of ${agent} makes a base record of ${bytes.byteLength} bytes, the limit is ${bytesMax}: its journal is not truncated. Keep less in the state, or raise stateBytesMax up to what the log takes in one message.`,
    { details: { agent, bytes: bytes.byteLength, bytesMax } },
  );
}

/** @throws CorruptBaseError */
export function baseRecordOf({ b: body, x: sum }: WireBase): BaseRecord {
  if (!(body instanceof Uint8Array) || crc32(body) !== sum) {
    throw new CorruptBaseError(
      `A base record is corrupt: its checksum is not that of what was stored. Restore the stream from a backup, and check its storage.`,
    );
  }
  const content = decodeRecordPayload(body) as WireContent;
  return {
    log: content.l,
    turns: content.n,
    lastInput: content.i,
    state: content.s,
    stateVersion: content.sv,
    foldVersion: content.f,
    previous: content.p,
    coveredAtMs: content.a,
    openAsks: content.o ?? [],
    ended: content.e,
    from: content.g && fromOf(content.g),
    worker: content.w,
    version: content.c,
  };
}

/** A map like every entry of a journal, with what is checked as bytes. */
export interface WireBase {
  readonly v: number;
  readonly kind: "base" | "forked";
  readonly x: number;
  readonly b: Uint8Array;
}

/** Log, type, key, turn, revision. */
type WireFrom = readonly [string, string, string, number, Position];

function wireFrom({ agent, log, revision, turn }: ForkedFrom): WireFrom {
  return [log, agent.type, agent.key, turn, revision];
}

function fromOf([log, type, key, turn, revision]: WireFrom): ForkedFrom {
  return { log, agent: { type, key }, turn, revision };
}

interface WireContent {
  readonly l: string;
  readonly n: number;
  readonly i: Position;
  readonly s: unknown;
  readonly sv: number;
  readonly f: string;
  readonly p: Position;
  readonly a: number;
  o?: readonly Position[];
  e?: AfterEnd;
  g?: WireFrom;
  readonly w: string;
  readonly c: string;
}
