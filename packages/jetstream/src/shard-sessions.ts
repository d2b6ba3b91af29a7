/** The parts of a connection to a log: one session for each of its streams. */
import { type Log, type Position, ShardedLog } from "@troupe/core/log";

import { JetStreamLog } from "./jetstream-log.ts";
import type { KeyStoreOptions } from "./key-store.ts";
import { leaderGet } from "./leader-get.ts";
import { ingressSource, outboxSource } from "./relay-source.ts";
import { isTaken, lastTaken } from "./relay-taken.ts";
import { Relay } from "./relay.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";

export interface ShardSessions {
  /** The first shard's, which has what is about the namespace. */
  readonly first: Session;
  /** In the order of the shards, at least one. */
  readonly all: readonly Session[];
  /**
   * Position at which the log ended when it was moved from one shard into several; 0 when it never
   * was.
   */
  readonly origin: Position;
}

export function logOf(sessions: ShardSessions, keys: KeyStoreOptions): Log {
  const { all, first, origin } = sessions;
  if (all.length === 1) return new JetStreamLog(first, keys, () => [ingressRelay(first)]);
  const relays = (): readonly Relay[] => [
    ingressRelay(first),
    ...all.flatMap((to) => outboxes(sessions, to).map(({ source }) => new Relay(to, source))),
  ];
  const shards = all.map(
    (session) => new JetStreamLog(session, keys, session === first ? relays : () => []),
  );
  return new ShardedLog({ shards, origin, settle: (shard) => settle(sessions, shard) });
}

function ingressRelay(first: Session): Relay {
  return new Relay(first, ingressSource(first.subjects));
}

interface OutboxRoute {
  readonly from: Session;
  readonly source: ReturnType<typeof outboxSource>;
}

function outboxes({ all }: ShardSessions, to: Session): readonly OutboxRoute[] {
  return all
    .filter((from) => from !== to)
    .map((from) => ({ from, source: outboxSource(from.subjects, to.subjects) }));
}

/** SHARD-3: messages in outboxes for a shard are taken over, whether a worker does so or not. */
async function settle(sessions: ShardSessions, shard: number): Promise<void> {
  const to = sessions.all[shard];
  if (to === undefined) return;
  await Promise.all(outboxes(sessions, to).map((route) => settleOne(to, route)));
}

async function settleOne(to: Session, { from, source }: OutboxRoute): Promise<void> {
  const patience = { timeoutMs: from.acceptTimeoutMs };
  const wanted = { last_by_subj: source.filter };
  const last = await retryUnavailable(() => leaderGet(from, source.stream, wanted), patience);
  if (last === undefined) return;
  const message = { sequence: last.seq, storedAtMs: Date.parse(last.time) };
  const hasArrived = async (): Promise<boolean> =>
    isTaken(await retryUnavailable(() => lastTaken(to, source), patience), message);
  let relay: Relay | undefined;
  try {
    for (let looks = 0; !(await hasArrived()); looks++) {
      if (looks === patientLooks) relay = new Relay(to, source);
      await pause(Math.min(2 ** looks, pauseMsMax));
    }
  } finally {
    await relay?.stop();
  }
}

/** By then a relay that runs has taken it; where none does, it is done here. */
const patientLooks = 7;
const pauseMsMax = 100;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
