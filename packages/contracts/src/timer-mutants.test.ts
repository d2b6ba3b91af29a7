/** Logs that break the rules of timers. */
import type { Log, TurnCommit, TimerChange } from "@troupe/core/log";
import { turn } from "./drafts.ts";
import { noticesMutants, type Mutant } from "./mutant.ts";

/** Long enough for every check to end well on a log that keeps the rules. */
const patienceMs = 4000;

const mutants: readonly Mutant[] = [
  {
    does: "forgets timers",
    failsAt: "timers survive an outage, and fire once after it when they were due in it",
    mutate: (log) => changing(log, () => []),
  },
  {
    does: "fires too early",
    failsAt:
      "a timer that a commit sets fires once, at its time or later, in its target's partition",
    mutate: (log) =>
      changing(log, (change) =>
        change.kind === "set" && "atMs" in change.time
          ? [{ ...change, time: { atMs: change.time.atMs - 300 } }]
          : [change],
      ),
  },
  {
    does: "fires twice",
    failsAt: "many timers of many agents all fire, each once",
    mutate: (log) => changing(log, (change) => [change, { ...change, id: `${change.id} again` }]),
  },
  {
    does: "sets the timers of a commit in conflict",
    failsAt: "a commit in conflict sets no timer, and cancels none",
    mutate: (log) => ({
      commit: (turns) =>
        log.commit(turns).catch(async (error: unknown) => {
          const timers = turns.flatMap((conflicting) => conflicting.timers ?? []);
          await log.commit([turn("somebody else", 0, { timers })]).catch(() => undefined);
          throw error;
        }),
    }),
  },
  {
    does: "keeps what is replaced",
    failsAt: "a timer that is set again is replaced, also in the same commit",
    mutate: (log) => {
      let changes = 0;
      return changing(log, (change) => [{ ...change, id: `${change.id} ${++changes}` }]);
    },
  },
  {
    does: "ignores cancels",
    failsAt: "a cancelled timer does not fire; cancelling one that is not set changes nothing",
    mutate: (log) => changing(log, (change) => (change.kind === "cancel" ? [] : [change])),
  },
  {
    does: "fires a repeating timer once",
    failsAt: "a repeating timer fires until it is cancelled, each time with another id",
    mutate: (log) =>
      changing(log, (change) =>
        change.kind === "set" && "everyMs" in change.time
          ? [{ ...change, time: { atMs: Date.now() + change.time.everyMs } }]
          : [change],
      ),
  },
];

noticesMutants(mutants.map((mutant) => ({ ...mutant, patienceMs })));

/** Makes something else of every change of a timer. */
function changing(log: Log, wrong: (change: TimerChange) => readonly TimerChange[]): Partial<Log> {
  const changed = (one: TurnCommit): TurnCommit => ({ ...one, timers: one.timers?.flatMap(wrong) });
  return { commit: (turns) => log.commit(turns.map(changed)) };
}
