/**
 * Times at which a timer may fire, and names that it may have: checked where it is set, so that a
 * mistake fails the handler's run.
 */
import { InvalidTimerError } from "../../errors/message-errors.ts";
import { keyToToken } from "../../definition/message/key-token.ts";
import type { TimerTime } from "../../definition/message/timer.ts";

/** The end of the year 9999, after which a date has another form. */
const latestMs = Date.UTC(10_000, 0, 1) - 1;

/** Time of a single firing, after a delay. @throws InvalidTimerError */
export function timeAfter(delayMs: number, nowMs: number): TimerTime {
  if (delayMs >= 0) return timeAt(nowMs + delayMs);
  throw invalid(`A delay of ${delayMs} ms is none: give 0 or more.`, { delayMs });
}

/**
 * Time of a single firing, at a date or a number of milliseconds since the epoch. @throws
 * InvalidTimerError
 */
export function timeAt(time: Date | number): TimerTime {
  const atMs = Math.ceil(Number(time));
  if (atMs >= 0 && atMs <= latestMs) return { atMs };
  throw invalid(`A timer cannot fire at ${String(time)}: give a date between 1970 and 9999.`, {
    atMs,
  });
}

/** Again and again. @throws InvalidTimerError */
export function timeEvery(intervalMs: number): TimerTime {
  if (Number.isSafeInteger(intervalMs / 1000) && intervalMs >= 1000 && intervalMs <= latestMs) {
    return { everyMs: intervalMs };
  }
  throw invalid(
    `A timer cannot fire every ${intervalMs} ms: give whole seconds, at least one, or set it again from its handler.`,
    { intervalMs },
  );
}

/** @throws InvalidTimerError when the text cannot be a timer's id */
export function requireTimerId(id: string): void {
  try {
    keyToToken(id);
  } catch (cause) {
    const shown = id.slice(0, 60);
    throw new InvalidTimerError(
      `${JSON.stringify(shown)} cannot name a timer: it is empty, too long or not well-formed text.`,
      { details: { id: shown }, cause },
    );
  }
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): InvalidTimerError {
  return new InvalidTimerError(message, { details });
}
