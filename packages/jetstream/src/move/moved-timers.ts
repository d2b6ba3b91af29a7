/**
 * Sets the timers of the old namespace in the new one, once each, however often a move is begun.
 *
 * They go in atomic batches with a marker that says up to which position of the old stream they are
 * set, and expects the marker before it. So a timer that is set and has fired since is not set a
 * second time. The old stream is sealed: none of its timers fires, changes or comes along any more.
 *
 * A server stores what a timer fires first, and removes the timer then. Sealing may come between
 * the two, so a timer that is due is set only when its message is not on the old stream.
 */
import { RevisionConflictError } from "@troupe/core/errors";
import type { Position } from "@troupe/core/log";

import { publishBatch } from "../atomic-batch.ts";
import { getRange, type StoredMessage } from "../direct-get.ts";
import type { DraftMessage } from "../draft-message.ts";
import { headerLine } from "../header-block.ts";
import { headerText, visitHeaders } from "../header-text.ts";
import { placed } from "../outbox.ts";
import { isConflict, publishError } from "../publish-error.ts";
import type { Session } from "../session.ts";
import { partitionOfSubject } from "../subjects.ts";
import { isOfServer } from "./comparison.ts";
import { leaderMessage } from "./stream-admin.ts";

/** Position up to which the timers of a log are set in its new place. */
interface TimersMarker {
  readonly timersTo: Position;
  /** Position of the marker, 0 when there is none. */
  readonly revision: Position;
}

const batchMax = 500;
const batchBytesMax = 4 * 1024 * 1024;

/**
 * Moves the timers of the agents in one shard.
 *
 * @returns how many were set now. @throws RevisionConflictError when another move does the same
 */
export async function moveTimers(from: Session, to: Session): Promise<number> {
  const subject = `${from.subjects.namespace}.*.timer.>`;
  const { stream } = from.subjects;
  let marker = await lastMarker(to);
  let count = 0;
  for (let after = marker.timersTo; ;) {
    const page = await getRange(from, { stream, subject, after });
    const last = page.at(-1);
    if (last === undefined) return count;
    const pending: StoredMessage[] = [];
    for (const timer of page) {
      if (isOfShard(timer, from, to) && !(await hasFired(from, timer))) pending.push(timer);
    }
    for (const batch of batches(pending)) {
      marker = await store(to, batch, marker, from);
      count += batch.length;
    }
    after = last.position;
  }
}

/**
 * Stores markers until the new stream ends where the old one did: later messages have positions
 * that no message of the old log ever had.
 */
export async function reachPosition(to: Session, end: Position, last: Position): Promise<void> {
  for (let position = last; position < end;) {
    const count = Math.min(batchMax, end - position);
    const marker = markerMessage(to, 0);
    position = await storeBatch(
      to,
      Array.from({ length: count }, () => marker),
    );
  }
}

async function lastMarker(to: Session): Promise<TimersMarker> {
  const { moved, stream } = to.subjects;
  const found = await leaderMessage(to, stream, { last_by_subj: moved });
  if (found === undefined) return { timersTo: 0, revision: 0 };
  const said = JSON.parse(Buffer.from(found.data ?? "", "base64").toString()) as TimersMarker;
  return { timersTo: said.timersTo, revision: found.seq };
}

function* batches(page: readonly StoredMessage[]): Generator<readonly StoredMessage[]> {
  let batch: StoredMessage[] = [];
  let bytes = 0;
  for (const stored of page) {
    if (batch.length >= batchMax || (bytes > batchBytesMax && batch.length > 0)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(stored);
    bytes += stored.message.data.length;
  }
  if (batch.length > 0) yield batch;
}

async function store(
  to: Session,
  timers: readonly StoredMessage[],
  { revision }: TimersMarker,
  from: Session,
): Promise<TimersMarker> {
  const timersTo = timers.at(-1)?.position ?? 0;
  const { lines, ...marker } = markerMessage(to, timersTo);
  const fence = headerLine("Nats-Expected-Last-Subject-Sequence", revision);
  const messages = timers.map((timer) => movedTimer(timer, from, to));
  const last = await storeBatch(to, [...messages, { ...marker, lines: lines + fence }]);
  return { timersTo, revision: last };
}

function markerMessage({ subjects }: Session, timersTo: Position): DraftMessage {
  const payload = Buffer.from(JSON.stringify({ timersTo }));
  return { subject: subjects.moved, lines: "", payload };
}

/** Whether a timer that fires once did so, although it is still there. */
async function hasFired(
  from: Session,
  { message, position, subject }: StoredMessage,
): Promise<boolean> {
  const block = headerText(message);
  const atMs = Date.parse(valueOf(block, "Nats-Schedule").replace(/^@at /, ""));
  if (!(atMs <= Date.now() + clockDriftMs)) return false;
  const { stream } = from.subjects;
  const target = valueOf(block, "Nats-Schedule-Target");
  for (let after = position; ;) {
    const page = await getRange(from, { stream, subject: target, after });
    const last = page.at(-1);
    if (last === undefined) return false;
    const firing = page.some(
      (input) => valueOf(headerText(input.message), "Nats-Scheduler") === subject,
    );
    if (firing) return true;
    after = last.position;
  }
}

function valueOf(block: string, wanted: string): string {
  let found = "";
  visitHeaders(block, (name, value) => {
    if (name === wanted) found = value;
  });
  return found;
}

/** Time by which the clock of the server may be ahead of ours. */
const clockDriftMs = 300_000;

/** Headers that are about how the timer was stored, and where it fired to. */
const dropped = /^Nats-(Batch-|Expected-|Schedule-Target$|Schedule-Next$|Scheduler$)/;

function movedTimer(timer: StoredMessage, from: Session, to: Session): DraftMessage {
  let target = "";
  let lines = "";
  visitHeaders(headerText(timer.message), (name, value) => {
    if (name === "Nats-Schedule-Target") target = value;
    if (!isOfServer(name) && !dropped.test(name)) lines += headerLine(name, value);
  });
  const rest = tokensAfterPartition(timer.subject, from);
  const [, type = "", token = "", id = "", setting = ""] = rest;
  const [, kind = "", name = "", targetToken = ""] = tokensAfterPartition(target, from);
  const { subjects } = to;
  const payload = timer.message.data;
  const fired = placed(
    { subject: subjects.input(kind, name, targetToken), lines, payload },
    subjects,
  );
  const schedule = headerLine("Nats-Schedule-Target", fired.subject);
  const subject = `${subjects.ofToken("timer", type, token)}.${id}.${setting}`;
  return { subject, lines: schedule + fired.lines, payload };
}

function isOfShard({ subject }: StoredMessage, from: Session, { subjects }: Session): boolean {
  const { shard, shards } = subjects;
  return partitionOfSubject(from.subjects, subject) % shards === shard;
}

/** The kind and what follows it. */
function tokensAfterPartition(subject: string, { subjects }: Session): readonly string[] {
  return subject
    .slice(subjects.namespace.length + 1)
    .split(".")
    .slice(1);
}

let batchCount = 0;

/** @returns the position of the last message */
function storeBatch(to: Session, messages: readonly DraftMessage[]): Promise<Position> {
  const id = `${to.id}-m${++batchCount}`;
  return new Promise((resolve, reject) => {
    publishBatch(to, id, messages, {
      onReply: (reply) => {
        const { error, seq } = to.readPubAck(reply.data);
        if (error === undefined) resolve(seq);
        else if (!isConflict(error)) reject(publishError(error, "A batch of a move"));
        else reject(new RevisionConflictError("Another process moves the same log."));
        return false;
      },
      onFailure: reject,
    });
  });
}
