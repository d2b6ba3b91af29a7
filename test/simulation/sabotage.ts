/**
 * Logs with a defect on purpose: each takes away one of the things that make a turn happen
 * once, so that a test can see the simulation find it.
 */
import type { Log, TurnCommit } from "@troupe/core";
import {
  decodeJournalRecord,
  decodePayload,
  encodePayload,
  encodeRecord,
  RevisionConflictError,
} from "@troupe/core";
import { overlay, type MemoryBroker } from "@troupe/core/testing";

export type Sabotage = (log: Log, broker: MemoryBroker) => Log;

/**
 * The log ignores the expected revision: who comes later overwrites nothing, but nobody is refused
 * (I5).
 */
export const withoutFence: Sabotage = (log, broker) => {
  const commit = async (turns: readonly TurnCommit[]): Promise<readonly number[]> => {
    try {
      return await log.commit(turns.map((turn) => unfenced(turn, broker)));
    } catch (thrown) {
      if (thrown instanceof RevisionConflictError) return commit(turns);
      throw thrown;
    }
  };
  return overlay(log, { commit });
};

function unfenced(turn: TurnCommit, broker: MemoryBroker): TurnCommit {
  if (turn.expectedRevision === "chained") return turn;
  const { key, type } = turn.agent;
  const last = broker
    .entries()
    .findLast(
      (entry) => entry.kind === "turn" && entry.agent.type === type && entry.agent.key === key,
    );
  return { ...turn, expectedRevision: last?.kind === "turn" ? last.entry.revision : 0 };
}

/**
 * The journal does not say which inputs were handled, so none is recognised when it comes again
 * (I4).
 */
export const withoutRecognition: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => {
        const decoded = decodeJournalRecord(entry.record);
        if (decoded.kind !== "turn") return entry;
        return { ...entry, record: encodeRecord({ ...decoded.turn, inputPosition: 0 }) };
      });
    },
  });

/** The journal does not say which steps were done, so they run again after a crash (I6). */
export const withoutSteps: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => {
        const decoded = decodeJournalRecord(entry.record);
        if (decoded.kind === "turn") return entry;
        const wire = decodePayload(entry.record, "application/msgpack");
        return { ...entry, record: encodePayload({ ...(wire as object), q: [] }) };
      });
    },
  });

/** A commit stores its records first and what they send afterwards, one by one (I3). */
export const withoutAtomicity: Sabotage = (log) =>
  overlay(log, {
    commit: async (turns) => {
      const revisions = await log.commit(turns.map((turn) => ({ ...turn, outgoing: [] })));
      for (const draft of turns.flatMap(({ outgoing }) => outgoing)) await log.accept(draft);
      return revisions;
    },
  });
