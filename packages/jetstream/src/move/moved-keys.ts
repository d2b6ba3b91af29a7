/**
 * Takes the keys of personal data along.
 *
 * The server copies their stream, and the copy has keys that are erased meanwhile: erasing is not
 * mirrored, but the note that stands behind an erased key is. So the old stream is frozen when the
 * log is, and then all that lies before a note is erased in the copy as well (MOVE-6). Afterwards
 * the old stream is removed: a second copy of a key would outlive its erasure.
 */
import type { StreamInfo } from "@nats-io/jetstream";

import { MoveMismatchError } from "../errors.ts";
import { eraseBefore, keyStream } from "../key-stream.ts";
import { logMetadata, type NewStream } from "../log-stream.ts";
import type { Session } from "../session.ts";
import type { Subjects } from "../subjects.ts";
import {
  createStream,
  leaderMessage,
  removeStream,
  streamInfo,
  subjectsUnder,
  updateStream,
} from "./stream-admin.ts";

export interface KeyMove {
  readonly from: Session;
  readonly to: Subjects;
  readonly signal: AbortSignal | undefined;
  /** Time that the server's copy may rest before it counts as broken, in milliseconds. */
  readonly stalledMs: number;
}

/** Has the server copy them, if there are any and it does not yet. */
export async function mirrorKeys({ from, to }: Pick<KeyMove, "from" | "to">): Promise<void> {
  const source = await streamInfo(from, from.subjects.keyStream);
  if (source === undefined || (await streamInfo(from, to.keyStream)) !== undefined) return;
  await createStream(from, mirrorOf(source, from.subjects, to));
}

function mirrorOf({ config }: StreamInfo, from: Subjects, to: Subjects): NewStream {
  const transform = { src: from.key("*"), dest: to.key("{{wildcard(1)}}") };
  return {
    ...keyStream(to, { replicas: config.num_replicas }),
    subjects: [],
    mirror: { name: config.name, subject_transforms: [transform] },
  };
}

/**
 * The log is frozen: freezes the keys, waits for the copy, and makes it a stream of its own without
 * what was erased.
 *
 * @returns how many names it has
 * @throws MoveMismatchError
 */
export async function moveKeys(move: KeyMove): Promise<number> {
  const { from, to } = move;
  const source = await streamInfo(from, from.subjects.keyStream);
  if (source !== undefined) await copyAll(move, source);
  const copy = await streamInfo(from, to.keyStream);
  if (copy === undefined) return 0;
  if (copy.config.mirror !== undefined) throw gone(move);
  return eraseReplaced(move);
}

/** Removes the old stream, once the copy is complete and nothing can stop the move any more. */
export async function removeOldKeys({ from }: Pick<KeyMove, "from">): Promise<void> {
  await removeStream(from, from.subjects.keyStream);
}

async function copyAll(move: KeyMove, source: StreamInfo): Promise<void> {
  const { from, to } = move;
  if (!source.config.sealed) {
    const metadata = { ...source.config.metadata, [logMetadata.movedTo]: to.namespace };
    await updateStream(from, { ...source.config, metadata, sealed: true });
  }
  await mirrorKeys(move);
  const copy = await streamInfo(from, to.keyStream);
  if (copy?.config.mirror === undefined) return;
  await caughtUp(move);
  const names = await countNames(move, from.subjects);
  const copied = await countNames(move, to);
  if (copied !== names) throw incomplete(move, copied, names);
  await updateStream(from, keyStream(to, { replicas: copy.config.num_replicas }));
}

/** A frozen stream ends with a key or a note, and neither is erased. */
async function caughtUp(move: KeyMove): Promise<void> {
  const { from, signal, stalledMs, to } = move;
  let position = -1;
  let grownAtMs = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const source = await streamInfo(from, from.subjects.keyStream);
    const copy = await streamInfo(from, to.keyStream);
    if (source === undefined || copy === undefined) throw gone(move);
    const last = copy.state.last_seq;
    if (last >= source.state.last_seq) return;
    if (last > position) grownAtMs = performance.now();
    position = last;
    if (performance.now() - grownAtMs > stalledMs) {
      throw incomplete(move, copy.state.messages, source.state.messages);
    }
    await new Promise((resolve) => void setTimeout(resolve, lookMs));
  }
}

async function countNames({ from }: KeyMove, subjects: Subjects): Promise<number> {
  let count = 0;
  for await (const _ of subjectsUnder(from, subjects.keyStream, subjects.key("*"))) count += 1;
  return count;
}

/** MOVE-6: Erases all values of a name but the last, the one that counts. */
async function eraseReplaced({ from, signal, to }: KeyMove): Promise<number> {
  let names = 0;
  for await (const [subject, count] of subjectsUnder(from, to.keyStream, to.key("*"))) {
    signal?.throwIfAborted();
    names += 1;
    if (count === 1) continue;
    const last = await leaderMessage(from, to.keyStream, { last_by_subj: subject });
    if (last !== undefined) await eraseBefore(from, to.keyStream, { subject, before: last.seq });
  }
  return names;
}

function incomplete({ from, to }: KeyMove, copied: number, expected: number): MoveMismatchError {
  const stream = from.subjects.keyStream;
  return new MoveMismatchError(
    `The copy of the keys in ${to.keyStream} has ${copied} of what is in ${stream}, which is ${expected}. The new namespace stays closed: look at the server, and begin the move again.`,
    { details: { stream, copied, expected } },
  );
}

function gone({ from, to }: KeyMove): MoveMismatchError {
  const stream = from.subjects.keyStream;
  return new MoveMismatchError(
    `The stream ${stream} or its copy ${to.keyStream} was removed while it was being copied. The new namespace stays closed: restore the stream of keys from its backup, and begin the move again.`,
    { details: { stream } },
  );
}

const lookMs = 20;
