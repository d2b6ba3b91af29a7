/**
 * Moves a log into another namespace, with another number of partitions, and from one shard into
 * several.
 *
 * The server copies it: the new stream begins as a mirror of the old one that moves each message to
 * its new partition, and keeps positions, times, headers and payloads. So everything that remembers
 * a position of the log stays right (recognition of inputs, floors, marks, snapshots, checkpoints
 * of projections, dead letters, idempotency keys), and the log keeps its identity.
 *
 *  MOVE-1 The old log is frozen by the server before the new one is used: no turn, message or timer
 *         is stored in both, whatever old workers still do.
 *  MOVE-2 Nobody can connect to the new namespace before everything is there and was compared.
 *  MOVE-3 Each step can be done again. The two streams tell how far a move came, and nothing else
 *         does, so one that was killed goes on when it is begun again.
 *  MOVE-4 The new log continues after the last position of the old one.
 *  MOVE-5 A timer is set in the new log once: where it would fire twice, a marker stands.
 *  MOVE-6 A key that was erased is in no copy, and no key is in two namespaces when the new one
 *         opens.
 *  MOVE-7 Into several shards the server makes a copy for each, of the partitions that belong
 *         there. All of them go on after the last position of the old log, which they remember: up
 *         to there a position names none of them.
 */
import type { StreamConfig } from "@nats-io/jetstream";
import { atLeastOne, requireOptions, requireShards, type Position } from "@troupe/core/log";

import { serverKind } from "../connect-failure.ts";
import { openSessions } from "../connect-log.ts";
import { connectLogRules, type ConnectLogOptions } from "../connect-options.ts";
import { loadFloors, saveFloors } from "../control-store.ts";
import { MoveMismatchError, MoveRefusedError } from "../errors.ts";
import { unlessNothingThere } from "../leader-get.ts";
import { logMetadata, logMetadataOf, logStream, partitionsMax } from "../log-stream.ts";
import { apiRequest } from "../api-request.ts";
import type { Session } from "../session.ts";
import type { ShardSessions } from "../shard-sessions.ts";
import { lastPosition } from "../stream-position.ts";
import { controlStream } from "../streams.ts";
import { subjectsOfShards, type Subjects } from "../subjects.ts";
import type { Comparison } from "./comparison.ts";
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
   * Shards in the new namespace, 1 to 256. The numbers of partitions before and after are multiples
   * of it. @default 1
   */
  readonly shards?: number | undefined;
  /**
   * Time that the server's copy may rest before it counts as complete, in milliseconds. The server
   * notices after ten seconds that a mirror has lost its source. Minimum 1. @default 30000
   */
  readonly stalledMs?: number | undefined;
  /** Stops between two steps; beginning again goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how far it is. */
  readonly onProgress?: ((progress: MoveProgress) => void) | undefined;
}

/** Report of the parts that were moved. */
export interface MoveReport {
  /** Identity of the log, the same before and after. */
  readonly log: string;
  readonly from: string;
  readonly to: string;
  readonly partitions: { readonly before: number; readonly after: number };
  /** By shard, how many of the messages lie in it. */
  readonly shards: readonly number[];
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
   * Time for which nothing could be stored, in milliseconds; since this run began where an earlier
   * one froze the log.
   */
  readonly pausedMs: number;
}

const stalledMsDefault = 30_000;

interface Move {
  readonly from: Session;
  /** Of the first shard. */
  readonly to: Subjects;
  /** Of all shards. */
  readonly targets: readonly Subjects[];
  readonly options: MoveOptions;
}

/**
 * Moves the log of `namespace` into the namespace `to` on the same servers.
 *
 * @throws MoveRefusedError, MoveMismatchError, and what connecting throws
 *
 * @example
 * ```ts
 * const report = await moveLog({
 *   servers: url,
 *   namespace: "acme",
 *   to: "acme2",
 *   partitions: 64,
 * });
 * ```
 */
export async function moveLog(options: MoveOptions): Promise<MoveReport> {
  const { onProgress: _hears, signal: _ends, to: name, ...checked } = options;
  requireOptions("Move option ", checked, { ...connectLogRules, stalledMs: atLeastOne });
  const { partitions, shards = 1, stalledMs: _rests, ...connection } = checked;
  const sessions = await openSessions({ ...connection, createStreams: false }, { isMove: true });
  const from = sessions.first;
  try {
    const targets = targetsOf(from.subjects, { name, partitions, shards });
    const [to] = targets;
    if (to === undefined) throw new MoveRefusedError("A log has at least one shard.");
    requireApart(from.subjects, to);
    requireOneServer(from);
    return await run({ from, to, targets, options });
  } finally {
    await from.link.close();
  }
}

async function run(move: Move): Promise<MoveReport> {
  const { from, options, targets, to } = move;
  const { onProgress, signal, stalledMs } = options;
  await prepare(move);
  const copy = { from, to: targets, onProgress, signal, stalledMs: stalledMs ?? stalledMsDefault };
  const compared = await copyMost(copy);
  const frozenAtMs = performance.now();
  onProgress?.({ step: "freeze", position: compared.comparedTo, last: compared.comparedTo });
  const last = await freezeLog(from, to.namespace);
  const comparison = await copyRest(copy, compared, last);
  const keys = await moveKeys({ ...copy, to });
  await promote(move, last);
  const target = await openSessions(targetOptions(move), { isMove: true });
  let timers: number;
  try {
    timers = await settle(move, target, { last, removed: comparison.removed });
  } finally {
    await target.first.link.close();
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
    shards: comparison.messagesIn,
    messages: comparison.messages,
    digest: comparison.digest,
    last,
    timers,
    keys,
    pausedMs: Math.round(performance.now() - frozenAtMs),
  };
}

/**
 * Targets of the partitions: a message that is moved elsewhere is found neither by its key nor by
 * its position.
 */
function targetsOf(
  from: Subjects,
  to: {
    readonly name: string;
    readonly partitions: number | undefined;
    readonly shards: number;
  },
): readonly Subjects[] {
  const { shards, partitions = from.partitions } = to;
  requireShards({ partitions, shards });
  const details = { from: from.namespace, shards, partitions: from.partitions };
  if (from.shards > 1) {
    throw new MoveRefusedError(
      `The log in ${from.namespace} has ${from.shards} shards, and a log moves out of one only. Nothing was changed.`,
      { details },
    );
  }
  if (from.partitions % shards !== 0) {
    throw new MoveRefusedError(
      `The ${from.partitions} partitions of ${from.namespace} cannot be shared out among ${shards} shards: move the log into a namespace with a multiple of ${shards} partitions in one shard first, and from there on. Nothing was changed.`,
      { details },
    );
  }
  return subjectsOfShards(to.name, partitions, shards);
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
  const { from, targets, to } = move;
  const source = from.subjects;
  for (const target of targets) await prepareShard(from, target);
  await mirrorKeys(move);
  if ((await streamInfo(from, to.controlStream)) !== undefined) return;
  await createStream(from, {
    ...(await mirrorOf(from, source.controlStream)),
    name: to.controlStream,
    max_msgs_per_subject: 1,
    mirror: { name: source.controlStream, subject_transforms: [...controlTransforms(source, to)] },
  });
}

async function prepareShard(from: Session, to: Subjects): Promise<void> {
  const source = from.subjects;
  const existing = await streamInfo(from, to.stream);
  if (existing === undefined) {
    return createStream(from, {
      ...(await mirrorOf(from, source.stream)),
      name: to.stream,
      description: `Troupe ${to.namespace}: being moved from ${source.namespace}`,
      metadata: movingMetadata(from, to),
      mirror: { name: source.stream, subject_transforms: [...logTransforms(source, to)] },
    });
  }
  const { metadata = {} } = existing.config;
  const wanted = { ...movingMetadata(from, to), ...placeMetadata(to) };
  const isOurs = Object.entries(wanted).every(([name, value]) => metadata[name] === value);
  if (!isOurs) throw taken(to, from.identity.id, metadata);
}

/** Also where there is one shard, and its metadata does not say so. */
function placeMetadata({ shard, shards }: Subjects): Record<string, string | undefined> {
  const [count, place] = shards === 1 ? [] : [String(shards), String(shard)];
  return { [logMetadata.shards]: count, [logMetadata.shard]: place };
}

function movingMetadata(from: Session, to: Subjects): Record<string, string> {
  return {
    ...logMetadataOf(to, from.identity.id),
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
async function promote({ from, targets, to }: Move, last: Position): Promise<void> {
  const control = await streamInfo(from, to.controlStream);
  if (control?.config.mirror !== undefined) {
    const replicas = control.config.num_replicas;
    await updateStream(from, controlStream(to, { replicas }));
  }
  const origin = targets.length === 1 ? {} : { [logMetadata.origin]: String(last) };
  for (const target of targets) {
    const log = await streamInfo(from, target.stream);
    if (log?.config.mirror === undefined) continue;
    const config = logStream(target, { replicas: log.config.num_replicas });
    const metadata = { ...movingMetadata(from, target), ...origin };
    await updateStream(from, { ...config, metadata });
  }
}

function targetOptions({ options, to }: Move): ConnectLogOptions {
  const { onProgress: _, signal: _s, stalledMs: _m, to: _to, ...connection } = options;
  const { namespace, partitions, shards } = to;
  return { ...connection, namespace, partitions, shards, createStreams: true };
}

/** Moves the parts that the server did not copy. */
async function settle(
  { from, to }: Move,
  { all, first }: ShardSessions,
  { last, removed }: { readonly last: Position; readonly removed: Comparison["removed"] },
): Promise<number> {
  for (const { position, shard } of removed) await remove(all[shard] ?? first, position);
  let timers = 0;
  for (const target of all) {
    const { moved, stream } = target.subjects;
    // MOVE-4, MOVE-7: the marker that stays lies behind what any shard may have at a position.
    const end = all.length === 1 ? last : last + 1;
    await reachPosition(target, end, await lastPosition(target));
    timers += await moveTimers(from, target);
    await purge(target, stream, { filter: moved, keep: 1 });
  }
  await purge(first, to.controlStream, { filter: to.floors });
  const partitions = { before: from.subjects.partitions, after: to.partitions };
  await saveFloors(first, movedFloors(await loadFloors(from), partitions));
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

/**
 * From here on the namespace is one like any other. Clients that connect look at the first shard
 * first.
 */
async function open({ from, targets }: Move): Promise<void> {
  for (const { stream } of targets.toReversed()) {
    const info = await streamInfo(from, stream);
    if (info === undefined) throw new MoveRefusedError(`The stream ${stream} is gone.`);
    const { [logMetadata.movingFrom]: _, ...metadata } = info.config.metadata ?? {};
    await updateStream(from, { ...info.config, metadata });
  }
}
