/**
 * Time that messages through the log are on their way: seldom the same twice, so that orders differ
 * between seeds.
 */
import type { Schedule } from "../memory/schedule.ts";
import type { Agenda } from "./agenda.ts";
import type { Chance } from "./chance.ts";

export interface Travel {
  readonly schedule: Schedule;
  /** Slow the traffic down for so long: one task in four takes up to so much longer. */
  slow(delayMs: number, forMs: number): void;
}

const slowShare = 0.25;

export function travel(agenda: Agenda, chance: Chance): Travel {
  const longestMs = chance.pick([0.2, 2, 20]);
  const stragglers = chance.pick([0, 0.01, 0.1]);
  let slowUntilMs = 0;
  let slowMs = 0;
  const delayMs = (): number => {
    if (agenda.elapsedMs < slowUntilMs && chance.happens(slowShare)) return chance.next() * slowMs;
    // The square makes short ways more frequent than long ones.
    const usual = chance.next() ** 2 * longestMs;
    return chance.happens(stragglers) ? usual + chance.next() * 50 : usual;
  };
  return {
    schedule: (task) => void agenda.add("task", delayMs(), task),
    slow: (delay, forMs) => {
      slowMs = delay;
      slowUntilMs = agenda.elapsedMs + forMs;
    },
  };
}
