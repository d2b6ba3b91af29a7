/**
 * Moves a log into another namespace, with another number of partitions.
 *
 * The server copies it: the new stream begins as a mirror of the old one that moves each message to
 * its new partition, and keeps positions, times, headers and payloads. So everything that remembers
 * a position of the log stays right (recognition of inputs, floors, marks, snapshots, checkpoints
 * of projections, dead letters, idempotency keys), and the log keeps its identity.
 *
 *  MOVE-1 The old log is frozen by the server before the new one is used: no turn, message or timer
 *         is stored in both, whatever old workers still do.
 *  MOVE-2 Nobody can connect to the new namespace before everything is there and was compared.
 *  MOVE-3 Each step can be done again. How far a move came is said by the two streams, nowhere else,
 *         so one that was killed goes on when it is begun again.
 *  MOVE-4 The new log continues after the last position of the old one.
 *  MOVE-5 A timer is set in the new log once: where it would fire twice, a marker stands.
 *  MOVE-6 A key that was erased is in no copy, and no key is in two namespaces when the new one opens.
 */
import type { StreamConfig } from "@nats-io/jetstream";
import { atLeastOne, requireOptions, type Position } from "@troupe/core";

import { serverKind } from "../connect-failure.ts";
import { openSession } from "../connect-log.ts";
import { connectLogRules, type ConnectLogOptions } from "../connect-options.ts";
import { loadFloors, saveFloors } from "../control-store.ts";
import { MoveMismatchError, MoveRefusedError } from "../errors.ts";
import { unlessNothingThere } from "../leader-get.ts";
import { logMetadata, logStream, partitionsMax } from "../log-stream.ts";
import { apiRequest } from "../api-request.ts";
import type { Session } from "../session.ts";
import { lastPosition } from "../stream-position.ts";
import { controlStream } from "../streams.ts";
import { subjects as subjectsOf, type Subjects } from "../subjects.ts";
import { copyMost, copyRest, type MoveProgress } from "./copy.ts";
import { freezeLog } from "./frozen-log.ts";
import { movedFloors } from "./moved-floors.ts";
import { mirrorKeys, moveKeys, removeOldKeys } from "./moved-keys.ts";
import { controlTransforms, logTransforms } from "./moved-subjects.ts";
import { moveTimers, reachPosition } from "./moved-timers.ts";
import { createStream, purge, streamInfo, updateStream } from "./stream-admin.ts";

/** Options of `moveLog`: those of a connection to the namespace that the log is in, and these. */
export interface MoveOptions extends ConnectLogOptions {
  /** The namespace that the log moves into. It must not exist, but for an earlier try. */
  readonly to: string;
  /** Partitions in the new namespace, 1 to 1024. @default as many as before */
  readonly partitions?: number | undefined;
  /**
   * How long the server's copy may rest before it counts as complete, in milliseconds. The server
   * notices after ten seconds that a mirror has lost its source. Minimum 1. @default 30000
   */
  readonly stalledMs?: number | undefined;
  /** Stops between two steps; beginning again goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how far it is. */
  readonly onProgress?: ((progress: MoveProgress) => void) | undefined;
}

/** What was moved. */
export interface MoveReport {
  /** Identity of the log, the same before and after. */
  readonly log: string;
  readonly from: string;
  readonly to: string;
  readonly partitions: { readonly before: number; readonly after: number };
  /** Inputs, records and dead letters, each compared with the original. */
  readonly messages: number;
  /** SHA-256 of all of them with their positions and times, 32 characters. */
  readonly digest: string;
  /** The last position of the log before. */
  readonly last: Position;
  /** Timers that this run set. */
  readonly timers: number;
  /** Entries of the key store that came along; 0 where nothing is personal data. */
  readonly keys: number;
  /**
   * How long nothing could be stored, in milliseconds; since this run began where an earlier one
   * froze the log.
   */
  readonly pausedMs: number;
}

const stalledMsDefault = 30_000;

interface Move {
  readonly from: Session;
  readonly to: Subjects;
  readonly options: MoveOptions;
}

/**
 * Moves the log of `namespace` into the namespace `to` on the same servers.
 *
 * ```ts
 * const report = await moveLog({ servers, namespace: "acme", to: "acme2", partitions: 64 });
 * ```
 *
 * @throws MoveRefusedError, MoveMismatchError, and what connecting throws
 */
export async function moveLog(options: MoveOptions): Promise<MoveReport> {
  const { onProgress: _hears, signal: _ends, to: name, ...checked } = options;
  requireOptions("Move option ", checked, { ...connectLogRules, stalledMs: atLeastOne });
  const { partitions, stalledMs: _rests, ...connection } = checked;
  const from = await openSession({ ...connection, createStreams: false }, { isMove: true });
  try {
    const to = subjectsOf(name, partitions ?? from.subjects.partitions);
    requireApart(from.subjects, to);
    requireOneServer(from);
    return await run({ from, to, options });
  } finally {
    await from.link.close();
  }
}

async function run(move: Move): Promise<MoveReport> {
  const { from, options, to } = move;
  const { onProgress, signal, stalledMs } = options;
  await prepare(move);
  const copy = { from, to, onProgress, signal, stalledMs: stalledMs ?? stalledMsDefault };
  const compared = await copyMost(copy);
  const frozenAtMs = performance.now();
  onProgress?.({ step: "freeze", position: compared.comparedTo, last: compared.comparedTo });
  const last = await freezeLog(from, to.namespace);
  const comparison = await copyRest(copy, compared, last);
  const keys = await moveKeys(copy);
  await promote(move);
  const target = await openSession(targetOptions(move), { isMove: true });
  let timers: number;
  try {
    timers = await settle(move, target, { last, removed: comparison.removed });
  } finally {
    await target.link.close();
  }
  await requireStill(from, last);
  await removeOldKeys(move);
  await open(move);
  onProgress?.({ step: "open", position: last, last });
  return {
    log: from.identity.id,
    from: from.subjects.namespace,
    to: to.namespace,
    partitions: { before: from.subjects.partitions, after: to.partitions },
    messages: comparison.messages,
    digest: comparison.digest,
    last,
    timers,
    keys,
    pausedMs: Math.round(performance.now() - frozenAtMs),
  };
}

function requireApart(from: Subjects, to: Subjects): void {
  if (!/^[A-Za-z0-9][\w-]*(\.[\w-]+)*$/.test(to.namespace) || to.partitions > partitionsMax) {
    throw new MoveRefusedError(`${JSON.stringify(to.namespace)} cannot be a namespace.`);
  }
  if (from.stream !== to.stream) return;
  throw new MoveRefusedError(
    `The log is in the namespace ${from.namespace} already: name another one for it.`,
  );
}

/** On several servers a stream that allows timers cannot be sealed, so nothing would be frozen. */
function requireOneServer({ link }: Session): void {
  if (serverKind(link.connection).isAlone) return;
  throw new MoveRefusedError(
    "A log on a cluster cannot be moved yet: its servers do not seal a stream that allows timers. Nothing was changed.",
  );
}

/** MOVE-3: makes the mirrors, or finds those of an earlier try. */
async function prepare(move: Move): Promise<void> {
  const { from, to } = move;
  const source = from.subjects;
  const existing = await streamInfo(from, to.stream);
  if (existing !== undefined) {
    const { metadata = {} } = existing.config;
    const isOurs =
      metadata[logMetadata.movingFrom] === source.namespace &&
      metadata[logMetadata.id] === from.identity.id &&
      metadata[logMetadata.partitions] === String(to.partitions);
    if (!isOurs) throw taken(to, from.identity.id, metadata);
  } else {
    await createStream(from, {
      ...(await mirrorOf(from, source.stream)),
      name: to.stream,
      description: `Troupe ${to.namespace}: being moved from ${source.namespace}`,
      metadata: movingMetadata(from, to),
      mirror: { name: source.stream, subject_transforms: [...logTransforms(source, to)] },
    });
  }
  await mirrorKeys(move);
  if ((await streamInfo(from, to.controlStream)) !== undefined) return;
  await createStream(from, {
    ...(await mirrorOf(from, source.controlStream)),
    name: to.controlStream,
    max_msgs_per_subject: 1,
    mirror: { name: source.controlStream, subject_transforms: [...controlTransforms(source, to)] },
  });
}

function movingMetadata(from: Session, to: Subjects): Record<string, string> {
  return {
    [logMetadata.partitions]: String(to.partitions),
    [logMetadata.id]: from.identity.id,
    [logMetadata.movingFrom]: from.subjects.namespace,
  };
}

/** Storage, copies, and the memory of message ids, which a mirror keeps as well. */
async function mirrorOf(from: Session, stream: string): Promise<Partial<StreamConfig>> {
  const info = await streamInfo(from, stream);
  if (info === undefined) throw new MoveRefusedError(`There is no stream ${stream}.`);
  const { duplicate_window, num_replicas, storage } = info.config;
  return { num_replicas, duplicate_window, storage, allow_direct: true };
}

function taken(
  to: Subjects,
  id: string,
  metadata: Readonly<Record<string, string>>,
): MoveRefusedError {
  const from = metadata[logMetadata.movingFrom];
  if (from === undefined && metadata[logMetadata.id] === id) {
    return new MoveRefusedError(`The log ${id} is in the namespace ${to.namespace} already.`, {
      details: { stream: to.stream, log: id },
    });
  }
  const why =
    from === undefined ? "exists" : `is being filled from ${from}, or with other partitions`;
  return new MoveRefusedError(
    `The namespace ${to.namespace} ${why}: choose another one, or begin that move again as it was.`,
    { details: { stream: to.stream, movingFrom: from } },
  );
}

/** The mirrors become streams of their own. The log's stays closed (MOVE-2). */
async function promote({ from, to }: Move): Promise<void> {
  const log = await streamInfo(from, to.stream);
  const control = await streamInfo(from, to.controlStream);
  if (control?.config.mirror !== undefined) {
    const replicas = control.config.num_replicas;
    await updateStream(from, controlStream(to, { replicas }));
  }
  if (log?.config.mirror === undefined) return;
  const config = logStream(to, { replicas: log.config.num_replicas });
  await updateStream(from, { ...config, metadata: movingMetadata(from, to) });
}

function targetOptions({ options, to }: Move): ConnectLogOptions {
  const {
    onProgress: _,
    partitions: _of,
    signal: _s,
    stalledMs: _m,
    to: _to,
    ...connection
  } = options;
  return { ...connection, namespace: to.namespace, createStreams: true };
}

/** What the server did not copy. @returns how many timers were set */
async function settle(
  { from, to }: Move,
  target: Session,
  { last, removed }: { readonly last: Position; readonly removed: readonly Position[] },
): Promise<number> {
  for (const position of removed) await remove(target, position);
  // MOVE-4
  await reachPosition(target, last, await lastPosition(target));
  const timers = await moveTimers(from, target);
  await purge(target, to.stream, { filter: to.moved, keep: 1 });
  await purge(target, to.controlStream, { filter: to.floors });
  const partitions = { before: from.subjects.partitions, after: to.partitions };
  await saveFloors(target, movedFloors(await loadFloors(from), partitions));
  return timers;
}

/** Overwrites it: it may have gone because somebody was erased. */
async function remove(target: Session, position: Position): Promise<void> {
  const subject = `STREAM.MSG.DELETE.${target.subjects.stream}`;
  await unlessNothingThere(apiRequest(target, subject, { seq: position, no_erase: false }));
}

/**
 * A replica that led the old stream before it knew of the freeze may have stored something.
 *
 * @throws MoveMismatchError
 */
async function requireStill(from: Session, last: Position): Promise<void> {
  const { stream } = from.subjects;
  const now = (await streamInfo(from, stream))?.state.last_seq;
  if (now === last) return;
  throw new MoveMismatchError(
    `The stream ${stream} was sealed at ${last}, and ends at ${now} now: something was stored meanwhile that was not moved. The new namespace stays closed.`,
    { details: { stream, last, now } },
  );
}

/** From here on the namespace is one like any other. */
async function open({ from, to }: Move): Promise<void> {
  const info = await streamInfo(from, to.stream);
  if (info === undefined) throw new MoveRefusedError(`The stream ${to.stream} is gone.`);
  const { [logMetadata.movingFrom]: _, ...metadata } = info.config.metadata ?? {};
  await updateStream(from, { ...info.config, metadata });
}
