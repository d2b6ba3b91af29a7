/**
 * Logs with a defect on purpose: each takes away one of the things that make a turn happen
 * once, so that a test can see the simulation find it.
 */
import type { Log, TurnCommit } from "@troupe/core/log";
import { emptyRecord, encodeBaseRecord, encodeRecord } from "@troupe/core/engine";
import { RevisionConflictError } from "@troupe/core/errors";
import { decodePayload, encodePayload } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import { overlay, type MemoryBroker } from "@troupe/testing";

type TimerChange = NonNullable<TurnCommit["timers"]>[number];

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
  return { ...turn, expectedRevision: revisionOf(turn.agent, broker) };
}

function revisionOf({ key, type }: TurnCommit["agent"], broker: MemoryBroker): number {
  const last = broker
    .entries()
    .findLast(
      (entry) => entry.kind === "turn" && entry.agent.type === type && entry.agent.key === key,
    );
  return last?.kind === "turn" ? last.entry.revision : 0;
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

/** Records are stored first and the timers that their turns set afterwards (I3). */
export const withoutTimersInCommit: Sabotage = (log) =>
  overlay(log, {
    commit: async (turns) => {
      const revisions = await log.commit(turns.map((turn) => ({ ...turn, timers: [] })));
      return Promise.all(
        turns.map(async (turn, index) => {
          const revision = revisions[index] ?? 0;
          const { agent, timers = [] } = turn;
          if (timers.length === 0 || turns[index + 1]?.expectedRevision === "chained") {
            return revision;
          }
          // A step record without steps says nothing, and takes the timers along.
          const record = emptyRecord();
          const later = { agent, expectedRevision: revision, record, outgoing: [], timers };
          const [last = revision] = await log.commit([later]);
          return last;
        }),
      );
    },
  });

/** The log keeps timers that were cancelled (LOG-6). */
export const withoutCancels: Sabotage = (log) =>
  withTimers(log, (change) => (change.kind === "cancel" ? [] : [change]));

/** The log keeps every timer twice, so each fires twice (LOG-6). */
export const withTimersTwice: Sabotage = (log) =>
  withTimers(log, (change) => [change, { ...change, id: `${change.id} again` }]);

function withTimers(log: Log, changes: (change: TimerChange) => readonly TimerChange[]): Log {
  return overlay(log, {
    commit: (turns) =>
      log.commit(turns.map((turn) => ({ ...turn, timers: turn.timers?.flatMap(changes) }))),
  });
}

/** The journal does not say that an agent is parked, so who activates it goes on (PARK-1). */
export const withoutParkings: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => {
        if (decodeJournalRecord(entry.record).kind !== "park") return entry;
        const wire = decodePayload(entry.record, "application/msgpack");
        return { ...entry, record: encodePayload({ ...(wire as object), h: false }) };
      });
    },
  });

/** Reads deferred inputs back with a gap (PARK-2). */
export const withoutDeferred: Sabotage = (log) =>
  overlay(log, {
    inputsOf: async (...request) => (await log.inputsOf(...request)).toSpliced(1, 1),
  });

/**
 * A cell is written whatever its revision is, so that of several writers each believes it won
 * (LOG-7).
 */
export const withoutCellFence: Sabotage = (log) =>
  overlay(log, {
    writeCell: async (name, value) =>
      log.writeCell(name, value, (await log.cell(name))?.revision ?? 0),
  });

/**
 * A worker's manifest replaces the one of others, so an old pod hides what newer code knows (I15).
 */
export const withShrinkingManifests: Sabotage = (log) =>
  overlay(log, {
    register: async (manifest) => {
      const known = await log.manifest(manifest.type);
      if (known !== undefined) {
        const gone = (kind: "messages" | "topics"): readonly string[] =>
          known[kind].filter((name) => !manifest[kind].includes(name));
        await log.forget(manifest.type, { messages: gone("messages"), topics: gone("topics") });
      }
      return log.register(manifest);
    },
  });

/** The log does not say what it takes, so that a turn cannot know that it does not fit (I7). */
export const withoutLimits: Sabotage = (log) =>
  overlay(log, {
    limits: { ...log.limits, payloadBytesMax: Infinity, commitMessagesMax: Infinity },
  });

/** Hides from an operator what lies behind a dead letter. */
export const withoutEarlierRedrives: Sabotage = (log) =>
  overlay(log, {
    inputsOf: async (...request) => {
      const [, topics, , before] = request;
      const isLook = topics.length === 0 && before === Number.MAX_SAFE_INTEGER;
      const page = await log.inputsOf(...request);
      return isLook ? [] : page;
    },
  });

/** A base record holds a state that is older than it says (I8). */
export const withStaleBase: Sabotage = (log) =>
  overlay(log, {
    commit: (turns) => log.commit(turns.map((turn) => ({ ...turn, record: stale(turn.record) }))),
  });

function stale(record: Uint8Array): Uint8Array {
  const entry = decodeJournalRecord(record);
  if (entry.kind !== "base" || entry.base.ended !== undefined) return record;
  const state = entry.base.state as Readonly<Record<string, number>>;
  const older = Object.entries(state).map(([name, value]) => [name, value - 1] as const);
  return encodeBaseRecord({ ...entry.base, state: Object.fromEntries(older) }, "", Infinity);
}

/** The last record goes with the others, and with it the fence (LOG-11). */
export const withoutLastRecords: Sabotage = (log) =>
  overlay(log, {
    truncateJournal: (agent) => log.destroy({ kind: "journal", agent }, Infinity),
  });

/** A journal is cut behind its last base record, wherever its turns begin then (BASE-4). */
export const withoutBases: Sabotage = (log, broker) =>
  overlay(log, {
    truncateJournal: (agent) => log.truncateJournal(agent, revisionOf(agent, broker)),
  });

/** Base records are not stored, and who asks for one is told that it is there (BASE-4). */
export const withMissingBases: Sabotage = (log) => {
  const bases = new Map<number, Uint8Array>();
  return overlay(log, {
    commit: async (turns) => {
      const stored = turns.map((turn) =>
        baseOf(turn)?.ended === null ? { ...turn, record: emptyRecord() } : turn,
      );
      const revisions = await log.commit(stored);
      for (const [index, turn] of turns.entries()) {
        if (stored[index] !== turn) bases.set(revisions[index] ?? 0, turn.record);
      }
      return revisions;
    },
    at: async (position) => {
      const found = await log.at(position);
      const payload = bases.get(position);
      return found === undefined || payload === undefined ? found : { ...found, payload };
    },
  });
};

function baseOf({
  record,
}: Pick<TurnCommit, "record">): { readonly ended: string | null } | undefined {
  const entry = decodeJournalRecord(record);
  return entry.kind === "base" ? { ended: entry.base.ended ?? null } : undefined;
}

/** All that was sent to a type goes, whatever a record of it still needs. */
export const withGreedyPrefixes: Sabotage = (log) =>
  overlay(log, {
    removeInputs: (place, before) =>
      log.removeInputs(place, place.key === undefined ? Infinity : before),
  });

/**
 * All records of a type go but the last of each journal, whatever a base record covers (CENSUS-1).
 */
export const withGreedyRecords: Sabotage = (log) =>
  overlay(log, { truncateJournals: (type) => log.truncateJournals(type, Infinity) });

/** Nobody says what dead letters may send again (UNHANDLED-2). */
export const withoutOriginals: Sabotage = (log) =>
  overlay(log, {
    async *follow(request) {
      const letters = request.kinds?.every((kind) => kind === "dead-letter");
      if (letters !== true) yield* log.follow(request);
    },
  });

/** The journal does not say that an agent has ended (BASE-3). */
export const withoutEnds: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => (isEnd(entry) ? { ...entry, record: emptyRecord() } : entry));
    },
  });

/** The end of an agent is stored behind its turn, and not with it (BASE-3, I3). */
export const withLateEnds: Sabotage = (log, broker) =>
  overlay(log, {
    commit: async (turns) => {
      const now = turns.filter((turn) => !isEnd(turn));
      const revisions = await log.commit(now);
      if (now.length === turns.length) return revisions;
      const byTurn = new Map(now.map((turn, index) => [turn, revisions[index] ?? 0]));
      for (const turn of turns.filter(isEnd)) {
        const expectedRevision = revisionOf(turn.agent, broker);
        const [revision = 0] = await log.commit([{ ...turn, expectedRevision }]);
        byTurn.set(turn, revision);
      }
      return turns.map((turn) => byTurn.get(turn) ?? 0);
    },
  });

function isEnd(stored: Pick<TurnCommit, "record">): boolean {
  return typeof baseOf(stored)?.ended === "string";
}

/** A reader for some types gets nothing of their topics. */
export const withoutTopics: Sabotage = (log) =>
  overlay(log, { read: (request) => log.read({ ...request, topics: [] }) });

/** A reader says that there is nothing more to read although there is. */
export const withUnreadPassed: Sabotage = (log, broker) =>
  overlay(log, {
    read: (request) =>
      log.read({
        ...request,
        onInput: (input) => {
          request.onInput(input);
          request.onPassed?.(broker.entries().length);
        },
      }),
  });

/** Tombstones do not say up to where everything is done (ERASE-1). */
export const withoutErasedInputs: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => {
        if (decodeJournalRecord(entry.record).kind !== "tombstone") return entry;
        const wire = decodePayload(entry.record, "application/msgpack");
        return { ...entry, record: encodePayload({ ...(wire as object), i: 0 }) };
      });
    },
  });

/** Tombstones say that nothing of before was handled. */
export const withForgottenTurns: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => {
        if (decodeJournalRecord(entry.record).kind !== "tombstone") return entry;
        const wire = decodePayload(entry.record, "application/msgpack");
        return { ...entry, record: encodePayload({ ...(wire as object), h: 0 }) };
      });
    },
  });

/** An erasure leaves no tombstone, so a state from before goes on (ERASE-1). */
export const withoutTombstones: Sabotage = (log) =>
  overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) =>
        decodeJournalRecord(entry.record).kind === "tombstone"
          ? { ...entry, record: emptyRecord() }
          : entry,
      );
    },
  });

/** An erasure takes the messages of the next key as well. */
export const withGreedyErasures: Sabotage = (log) =>
  overlay(log, {
    destroy: async (part, upTo, options) => {
      if (part.kind === "inputs") {
        const agent = { ...part.agent, key: "other" };
        await log.destroy({ kind: "inputs", agent }, Infinity, options);
      }
      return log.destroy(part, upTo, options);
    },
  });
