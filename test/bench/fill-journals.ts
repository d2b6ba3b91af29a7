/** Long histories in a short time: turn records put into journals without running the turns. */
import { encodeRecord } from "@troupe/core/engine";
import type { Log, TurnCommit } from "@troupe/core/log";

import { account, traceparent, windowed } from "./ledger.ts";

export interface Histories {
  /** Accounts `key-0` and so on. */
  readonly keys: number;
  /** Records of each. */
  readonly turns: number;
  /** @default 1 */
  readonly eventsPerTurn?: number;
}

export async function fillJournals(log: Log, histories: Histories): Promise<void> {
  const { keys, turns } = histories;
  // Many short histories share a commit; a long one takes many, one after the other.
  const keysAtOnce = Math.max(1, Math.floor(commitMax / turns));
  await windowed(Math.ceil(keys / keysAtOnce), 2, async (number) => {
    const from = number * keysAtOnce;
    await fillSome(log, from, Math.min(keys, from + keysAtOnce), histories);
  });
}

const commitMax = 500;

/** The histories of the keys from `from` up to but not `to`. */
async function fillSome(
  log: Log,
  from: number,
  to: number,
  { eventsPerTurn = 1, turns }: Histories,
): Promise<void> {
  let revision = 0;
  for (let turn = 1; turn <= turns; turn += commitMax) {
    const commits: TurnCommit[] = [];
    for (let key = from; key < to; key++) {
      for (let each = turn; each <= Math.min(turns, turn + commitMax - 1); each++) {
        commits.push({
          agent: { type: account.type, key: `key-${key}` },
          expectedRevision: each === turn ? revision : "chained",
          record: recordOf(each, eventsPerTurn),
          outgoing: [],
        });
      }
    }
    // Only a history that is alone in its commit goes on in another one.
    revision = (await log.commit(commits)).at(-1) ?? 0;
  }
}

/**
 * Record of a turn; its input is before everything on the log, so that nothing is taken for a
 * duplicate of it.
 */
function recordOf(turn: number, eventsPerTurn: number): Uint8Array {
  return encodeRecord({
    turn,
    inputPosition: 0,
    messageId: `deposit-${turn}`,
    message: "deposit",
    events: Array.from({ length: eventsPerTurn }, () => ({
      type: "deposited",
      data: { amount: 5 },
    })),
    sent: [],
    log: "",
    receivedAtMs: 0,
    reply: 5,
    attempts: 1,
    traceparent,
    worker: "bench",
    version: "unversioned",
    acceptedAtMs: 0,
    startedAtMs: 0,
    tookMs: 0,
  });
}
