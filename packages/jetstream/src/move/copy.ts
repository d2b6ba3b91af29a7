/**
 * Waits for the server's copy of a log, and compares it with the log: most of it while the log is
 * still in use, the rest when it is frozen. So the pause does not grow with the log.
 */
import type { StreamInfo } from "@nats-io/jetstream";
import type { Position } from "@troupe/core/log";

import { MoveMismatchError, MoveRefusedError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { Subjects } from "../subjects.ts";
import { Comparison } from "./comparison.ts";
import { leftBehind, logTransforms } from "./moved-subjects.ts";
import { countUnder, streamInfo } from "./stream-admin.ts";

/** Step of a move, and its progress. */
export interface MoveProgress {
  readonly step: "copy" | "compare" | "freeze" | "open";
  /** Up to which position of the log it is done. */
  readonly position: Position;
  /** End of the log, as far as is known. */
  readonly last: Position;
}

export interface Copy {
  readonly from: Session;
  /** Of each shard of the copy. */
  readonly to: readonly Subjects[];
  readonly onProgress: ((progress: MoveProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  /** Time that a copy may rest before it counts as complete, in milliseconds. */
  readonly stalledMs: number;
}

/** Messages that are copied and compared in a fraction of a second. */
const closeMax = 2000;

/**
 * Compares while the log is in use: returns when the copy is close behind it, and the same so far.
 */
export async function copyMost(copy: Copy): Promise<Comparison> {
  const { from, onProgress, signal } = copy;
  const comparison = newComparison(copy);
  for (;;) {
    signal?.throwIfAborted();
    const { last_seq: last } = (await required(from, from.subjects.stream)).state;
    const copies = await copiesOf(copy);
    const furthest = Math.max(...copies.map(({ position }) => position));
    // An earlier try came so far that more was stored after the copy.
    onProgress?.({ step: "copy", position: Math.min(furthest, last), last });
    const onCompared = (to: Position): void =>
      onProgress?.({ step: "compare", position: to, last });
    await comparison.upTo(last, positionsOf(copies), onCompared);
    onCompared(comparison.comparedTo);
    if (copies.every(({ isMirror }) => !isMirror)) return comparison;
    if (await isClose(copy, comparison)) {
      await requireKnownSubjects(copy);
      return comparison;
    }
    await pause();
  }
}

/**
 * Before anything is frozen: a message that no transform knows would stay behind. While the log is
 * in use the counts are of different moments, so they are taken again before they are believed.
 */
async function requireKnownSubjects({ from, to }: Copy): Promise<void> {
  const { stream } = from.subjects;
  const moved = to.flatMap((shard) => logTransforms(from.subjects, shard)).map(({ src }) => src);
  const known = [...leftBehind(from.subjects), ...moved];
  let strange = 0;
  for (let looks = 0; looks < 3; looks++) {
    const { messages } = (await required(from, stream)).state;
    const counts = await Promise.all(known.map((filter) => countUnder(from, stream, filter)));
    strange = messages - counts.reduce((sum, count) => sum + count, 0);
    if (strange <= 0) return;
  }
  throw new MoveRefusedError(
    `The stream ${stream} has ${strange} messages under subjects that are none of Troupe's, and cannot be moved with them. Look at its subjects, and remove them.`,
    { details: { stream, messages: strange } },
  );
}

/**
 * Whether the copy is close; the server's word about the lag of a mirror is wrong when the mirror
 * has just begun.
 */
async function isClose({ from }: Copy, compared: Comparison): Promise<boolean> {
  const { last_seq: last } = (await required(from, from.subjects.stream)).state;
  if (last - compared.comparedTo <= closeMax) return true;
  // A log may end with much that is not copied.
  return (await messagesToCopy(from)) - compared.messages <= closeMax;
}

/**
 * The log is frozen: waits for its last message, and compares what was not compared. A message that
 * was removed from the log behind the comparison makes it begin again. @throws MoveMismatchError
 */
export async function copyRest(
  copy: Copy,
  compared: Comparison,
  last: Position,
): Promise<Comparison> {
  const { from, signal, stalledMs } = copy;
  const expected = await messagesToCopy(from);
  let comparison = compared;
  let grownAtMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const before = comparison.comparedTo;
    await comparison.upTo(last, positionsOf(await copiesOf(copy)));
    if (comparison.messages === expected) return comparison;
    if (comparison.comparedTo > before) grownAtMs = performance.now();
    const isAtRest = performance.now() - grownAtMs > stalledMs;
    if (isAtRest || comparison.messages > expected) {
      if (comparison !== compared) throw incomplete(copy, comparison.messages, expected);
      comparison = newComparison(copy);
      grownAtMs = performance.now();
    }
    await pause();
  }
}

function incomplete({ from }: Copy, copied: number, expected: number): MoveMismatchError {
  return new MoveMismatchError(
    `The copy has ${copied} messages of the log, which has ${expected}: some lie under subjects that are none of Troupe's. Look at the subjects of ${from.subjects.stream}.`,
    { details: { copied, expected, stream: from.subjects.stream } },
  );
}

function newComparison({ from, signal, to }: Copy): Comparison {
  return new Comparison({ session: from, from: from.subjects, to, signal });
}

/** All messages of the log but those that stay behind, whatever their subjects are. */
async function messagesToCopy(from: Session): Promise<number> {
  const { stream } = from.subjects;
  const { messages } = (await required(from, stream)).state;
  const behind = await Promise.all(
    leftBehind(from.subjects).map((filter) => countUnder(from, stream, filter)),
  );
  return messages - behind.reduce((sum, count) => sum + count, 0);
}

interface CopyState {
  /** The last position that it has. */
  readonly position: Position;
  readonly isMirror: boolean;
}

function copiesOf({ from, to }: Copy): Promise<readonly CopyState[]> {
  return Promise.all(
    to.map(async ({ stream }) => {
      const { config, state } = await required(from, stream);
      return { position: state.last_seq, isMirror: config.mirror !== undefined };
    }),
  );
}

function positionsOf(copies: readonly CopyState[]): readonly Position[] {
  return copies.map(({ position }) => position);
}

async function required(session: Session, name: string): Promise<StreamInfo> {
  const info = await streamInfo(session, name);
  if (info !== undefined) return info;
  throw new MoveRefusedError(`The stream ${name} is gone.`, { details: { stream: name } });
}

function pause(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, lookMs));
}

const lookMs = 20;
