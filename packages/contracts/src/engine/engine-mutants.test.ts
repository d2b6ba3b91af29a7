/**
 * The engine's checks can fail: each mutant takes away something that a guarantee rests on, and
 * names the check that must notice. The check's own connections stay correct, so that it sees what
 * really is on the log.
 */
import { describe, expect, test } from "vitest";

import type { Input, Log, TurnCommit, Mark } from "@troupe/core/log";
import { decodeJournalRecord, decodeRecord } from "@troupe/core/operate";
import { emptyRecord, encodeRecord } from "@troupe/core/engine";
import { memoryHarness } from "../memory/memory-harness.ts";
import { wholeJournal } from "../observe.ts";
import { inTime } from "../until.ts";
import { engineChecks } from "./engine-checks.ts";
import type { StageHarness } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

interface Mutant {
  readonly does: string;
  readonly failsAt: string;
  readonly mutate: Tamper;
}

const forgetsInputs: Tamper = (log) => ({
  journal: async (agent, after, options) => {
    const entries = await log.journal(agent, after, options);
    return entries.map((entry) => {
      const record = decodeRecord(entry.record);
      return { ...entry, record: encodeRecord({ ...record, inputPosition: 0 }) };
    });
  },
});

const ignoresRevisions: Tamper = (log) => ({
  commit: async (turns) => log.commit(await onCurrentRevision(log, turns)),
});

const sendsBeforeItCommits: Tamper = (log) => ({
  commit: async (turns) => {
    for (const draft of turns.flatMap(({ outgoing }) => outgoing)) await log.accept(draft);
    return log.commit(turns.map((turn) => ({ ...turn, outgoing: [] })));
  },
});

const mutants: readonly Mutant[] = [
  {
    does: "does not recognise what is in the journal",
    failsAt: "I4: inputs that are read again after their commit run nothing",
    mutate: forgetsInputs,
  },
  {
    does: "does not recognise what is in the journal",
    failsAt: "I4: a commit that was stored without an answer runs nothing twice",
    mutate: forgetsInputs,
  },
  {
    does: "ignores the expected revision",
    failsAt: "I5: two workers that both host every key commit every turn once, in order",
    mutate: ignoresRevisions,
  },
  {
    does: "ignores the expected revision",
    failsAt: "I5: of 50 agents in one group only the one in conflict starts again",
    mutate: ignoresRevisions,
  },
  {
    does: "sends before it commits",
    failsAt: "I3: what a turn records, sends and publishes is stored together or not at all",
    mutate: sendsBeforeItCommits,
  },
  {
    does: "forgets what a turn sends",
    failsAt: "I3: what a turn records, sends and publishes is stored together or not at all",
    mutate: (log) => ({
      commit: (turns) => log.commit(turns.map((turn) => ({ ...turn, outgoing: [] }))),
    }),
  },
  {
    does: "reads in another order",
    failsAt: "I2: the messages of one key are handled one at a time, in log order",
    mutate: reordered,
  },
  {
    does: "loses an input now and then",
    failsAt:
      "I2: one hot key with 2000 messages ends exact, with turns that run ahead of their commits",
    mutate: (log) => ({
      read: (request) =>
        log.read({
          ...request,
          onInput: (input) => {
            if (input.position % 97 !== 0) request.onInput(input);
          },
        }),
    }),
  },
  {
    does: "gives every reader credit without end",
    failsAt:
      "I7: a partition whose turns do not end is read no further than its window and what is lent of it",
    mutate: (log) => ({ read: (request) => log.read({ ...request, credit: 1_000_000 }) }),
  },
  {
    does: "accepts before it stores",
    failsAt: "I1: a message is on the log when send, publish and ask say that it is accepted",
    mutate: () => ({ accept: async () => ({ position: 1, duplicate: false }) }),
  },
  {
    does: "knows floors that are too high",
    failsAt: "I4: a turn whose worker died before the commit is handled by the next one",
    mutate: (log) => ({
      floors: async () => {
        const types = ["ledger"].flatMap((type) =>
          Array.from({ length: log.partitions }, (_, partition) => ({ type, partition })),
        );
        const mark = await endOf(log);
        return types.map((holding) => ({ ...holding, position: mark.position, mark }));
      },
    }),
  },
  {
    does: "saves floors that are too high",
    failsAt:
      "a worker that stops finishes what it started and gives back the rest, each turn run once",
    mutate: (log) => ({
      saveFloors: async (floors) => {
        const mark = await endOf(log);
        return log.saveFloors(floors.map((floor) => ({ ...floor, position: mark.position, mark })));
      },
    }),
  },
  {
    does: "leaves the topics out for whoever reads for types",
    failsAt:
      "pools of different types, replaced by others under load, handle everything once, in order",
    mutate: (log) => ({ read: (request) => log.read({ ...request, topics: [] }) }),
  },
  {
    does: "never says that a type has nothing to read",
    failsAt:
      "the floor of a type that nobody writes to follows the log, and its first message comes",
    mutate: (log) => ({ read: (request) => log.read({ ...request, onPassed: undefined }) }),
  },
  {
    does: "announces nobody, so workers overlap",
    failsAt:
      "a worker that stops finishes what it started and gives back the rest, each turn run once",
    mutate: () => ({ announce: () => undefined }),
  },
  {
    does: "finds no turn that was recorded",
    failsAt: "I4: a reply survives the death of the only worker, between commit and reply",
    mutate: () => ({ journal: async () => [] }),
  },
  {
    does: "does not say that runs ended without their process",
    failsAt: "runs that a stop gave back do not count, however many there are",
    mutate: (log) => ({
      journal: async (agent, after, options) => {
        const entries = await log.journal(agent, after, options);
        return entries.map((entry) => {
          const decoded = decodeJournalRecord(entry.record);
          if (decoded.kind !== "steps" || decoded.steps.ended === undefined) return entry;
          return { ...entry, record: emptyRecord() };
        });
      },
    }),
  },
  {
    does: "forgets what came while it looked for what was removed",
    failsAt: "I1: what comes while a key that is behind looks for what was removed is handled",
    mutate: (log) => ({
      inputsOf: async (of, topics, after, before, options) => {
        const page = await log.inputsOf(of, topics, after, before, options);
        return page.filter(({ payload }) => !Buffer.from(payload).includes("late"));
      },
    }),
  },
  {
    does: "loses dead letters",
    failsAt: "I10: broken JSON is one dead letter, and its neighbours are handled",
    mutate: (log) => ({
      commit: (turns) => log.commit(turns.map((turn) => ({ ...turn, deadLetter: undefined }))),
    }),
  },
  {
    does: "buries nothing",
    failsAt: "I10: a subject that is no address is one dead letter",
    mutate: () => ({ bury: async () => undefined }),
  },
  {
    does: "loses trace contexts",
    failsAt: "trace context flows from the client through turns to everything they send",
    mutate: (log) => ({
      accept: (draft, options) =>
        log.accept({ ...draft, metadata: { ...draft.metadata, traceparent: undefined } }, options),
    }),
  },
  {
    does: "loses who waits for whom",
    failsAt: "A asks B asks A is a call cycle; every agent on the way goes on",
    mutate: (log) => ({
      accept: (draft, options) =>
        log.accept({ ...draft, metadata: { ...draft.metadata, callers: undefined } }, options),
    }),
  },
  {
    does: "knows every agent type",
    failsAt: "asking an agent type that nobody hosts fails at once, and names the types there are",
    mutate: () => ({
      manifest: async (type) => ({ type, messages: ["note"], topics: [], events: [], version: "" }),
    }),
  },
];

describe("the engine's contract notices a log that", () => {
  test.concurrent.for(mutants)("$does: $failsAt", async (mutant) => {
    const check = engineChecks.find(({ name }) => name === mutant.failsAt);
    expect(check, `the check "${mutant.failsAt}"`).toBeDefined();
    const harness: StageHarness = {
      ...memoryHarness(),
      // A missing message never comes.
      patienceMs: 700,
      mutate: mutant.mutate,
    };
    // A check that never ends fails, too, only later.
    const patient = { ...harness, patienceMs: 3000 };
    const run = check?.run(harness) ?? Promise.resolve();
    const outcome = await inTime(patient, "the check ends", run).then(
      () => "nothing noticed",
      () => "noticed",
    );
    expect(outcome).toBe("noticed");
  });
});

/** Hands over pairs of inputs the wrong way round. */
function reordered(log: Log): Partial<Log> {
  return {
    read: (request) => {
      let held: Input | undefined;
      return log.read({
        ...request,
        onInput: (input) => {
          if (held === undefined) {
            held = input;
            return;
          }
          request.onInput(input);
          request.onInput(held);
          held = undefined;
        },
      });
    },
  };
}

async function onCurrentRevision(log: Log, turns: readonly TurnCommit[]): Promise<TurnCommit[]> {
  const current: TurnCommit[] = [];
  for (const turn of turns) {
    if (turn.expectedRevision === "chained") current.push(turn);
    else {
      const last = (await wholeJournal(log, turn.agent)).at(-1);
      current.push({ ...turn, expectedRevision: last?.revision ?? 0 });
    }
  }
  return current;
}

/** A mark at the log's end: a floor there fits, however wrong it is. */
async function endOf(log: Log): Promise<Mark> {
  const { last, log: identity } = await log.end();
  return { log: identity, position: last, storedAtMs: (await log.at(last))?.storedAtMs ?? 0 };
}
