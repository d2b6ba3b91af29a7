/**
 * Waits for the server's copy of a log, and compares it with the log: most of it while the log is
 * still in use, the rest when it is frozen. So the pause does not grow with the log.
 */
import type { Position } from "@troupe/core";

import { MoveMismatchError, MoveRefusedError } from "../errors.ts";
import { leaderGet } from "../leader-get.ts";
import type { Session } from "../session.ts";
import type { Subjects } from "../subjects.ts";
import { Comparison } from "./comparison.ts";
import { leftBehind, logTransforms } from "./moved-subjects.ts";
import { countUnder, streamInfo } from "./stream-admin.ts";

/** What a move is doing, and how far it is. */
export interface MoveProgress {
  readonly step: "copy" | "compare" | "freeze" | "open";
  /** Up to which position of the log it is done. */
  readonly position: Position;
  /** Where the log ends, as far as is known. */
  readonly last: Position;
}

export interface Copy {
  readonly from: Session;
  readonly to: Subjects;
  readonly onProgress: ((progress: MoveProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Messages that are copied and compared in a fraction of a second. */
const closeMax = 2000;

/** While the log is in use: returns when the copy is close behind it, and the same so far. */
export async function copyMost(copy: Copy): Promise<Comparison> {
  const { from, onProgress, signal } = copy;
  const comparison = newComparison(copy);
  for (;;) {
    signal?.throwIfAborted();
    const [log, end] = await Promise.all([
      streamState(from, from.subjects.stream),
      lastCopied(copy),
    ]);
    const { last_seq: position } = await streamState(from, copy.to.stream);
    const last = log.last_seq;
    onProgress?.({ step: "copy", position, last });
    // What is stored after the copy is not the copy: an earlier try came so far.
    const copied = Math.min(position, end);
    await comparison.upTo(copied, (to) => onProgress?.({ step: "compare", position: to, last }));
    if (end - position <= closeMax) return comparison;
    await pause();
  }
}

/**
 * The log is frozen: waits for its last message, and compares what was not compared. What was
 * removed from the log behind the comparison makes it begin again. @throws MoveMismatchError
 */
export async function copyRest(copy: Copy, compared: Comparison): Promise<Comparison> {
  const { from, signal, to } = copy;
  const end = await lastCopied(copy);
  while ((await streamState(from, to.stream)).last_seq < end) {
    signal?.throwIfAborted();
    await pause();
  }
  await compared.upTo(end);
  const expected = await messagesToCopy(from);
  if (compared.messages === expected) return compared;
  const again = newComparison(copy);
  await again.upTo(end);
  if (again.messages === expected) return again;
  throw new MoveMismatchError(
    `The copy has ${again.messages} messages of the log, which has ${expected}: some lie under subjects that are none of Troupe's. Look at the subjects of ${from.subjects.stream}.`,
    { details: { copied: again.messages, expected, stream: from.subjects.stream } },
  );
}

function newComparison({ from, signal, to }: Copy): Comparison {
  return new Comparison({ session: from, from: from.subjects, to, signal });
}

/** The last position that the copy has to have. */
async function lastCopied({ from, to }: Copy): Promise<Position> {
  const { stream } = from.subjects;
  const sources = logTransforms(from.subjects, to).map(({ src }) => src);
  const found = await Promise.all(
    sources.map((last_by_subj) => leaderGet(from, stream, { last_by_subj })),
  );
  return Math.max(0, ...found.map((message) => message?.seq ?? 0));
}

/** All messages of the log but those that stay behind, whatever their subjects are. */
async function messagesToCopy(from: Session): Promise<number> {
  const { stream } = from.subjects;
  const { messages } = await streamState(from, stream);
  const behind = await Promise.all(
    leftBehind(from.subjects).map((filter) => countUnder(from, stream, filter)),
  );
  return messages - behind.reduce((sum, count) => sum + count, 0);
}

interface StreamState {
  readonly last_seq: number;
  readonly messages: number;
}

async function streamState(session: Session, name: string): Promise<StreamState> {
  const info = await streamInfo(session, name);
  if (info === undefined) {
    throw new MoveRefusedError(`The stream ${name} is gone.`, { details: { stream: name } });
  }
  return info.state;
}

function pause(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, lookMs));
}

const lookMs = 20;
