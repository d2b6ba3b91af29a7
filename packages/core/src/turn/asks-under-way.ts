/**
 * The asks that a turn has made, whichever run of its handler made them.
 *
 * A run that fails, or is given up for another start from the journal, does not call its asks back:
 * the next run wants the same answer, and waits for the same ask. Only a turn that is given up for
 * good ends them.
 */
import { AskCancelledError } from "../errors/ask-errors.ts";
import { TurnGivenBackError } from "../errors/definition-errors.ts";
import { LogUnavailableError, RevisionConflictError } from "../errors/log-errors.ts";
import { DeadlinePassedError } from "../errors/message-errors.ts";

/** One ask. */
export interface Asked {
  readonly answer: Promise<unknown>;
  /** Nobody waits for it any more. */
  end(reason: unknown): void;
}

export class AsksUnderWay {
  readonly #asks = new Map<string, Asked>();

  has(key: string): boolean {
    return this.#asks.has(key);
  }

  /** The ask of this key: the one that was made, or the one that `begin` makes. */
  join(key: string, begin: (signal: AbortSignal) => Promise<unknown>): Asked {
    const found = this.#asks.get(key);
    if (found !== undefined) return found;
    const controller = new AbortController();
    const answer = begin(controller.signal);
    const asked: Asked = { answer, end: (reason) => controller.abort(reason) };
    // A run that waits for it hears of it there. What failed without an answer the next run asks
    // again, as the same ask.
    answer.catch((thrown: unknown) => {
      const isAnswer = !withoutAnswer.some((kind) => thrown instanceof kind);
      if (!isAnswer && this.#asks.get(key) === asked) this.#asks.delete(key);
    });
    this.#asks.set(key, asked);
    return asked;
  }

  end(reason: unknown): void {
    for (const asked of this.#asks.values()) asked.end(reason);
    this.#asks.clear();
  }
}

/** The log's trouble, which is over some time. */
const withoutAnswer = [LogUnavailableError, RevisionConflictError];

/** With these a run's end is also that of its asks. */
const ends = [TurnGivenBackError, AskCancelledError, DeadlinePassedError];

/** Who may stop waiting for an ask. */
export interface AskWaiters {
  /** Fires when this run of the turn is over; the ask goes on. */
  readonly run: AbortSignal;
  /** The handler's own signal: it ends the ask. */
  readonly handler: AbortSignal | undefined;
}

/** The answer to an ask, or why this run waits for it no longer. */
export function answerFor(asked: Asked, { handler, run }: AskWaiters): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      // Another process will wait for the answer, or nobody does in the whole batch.
      if (ends.some((kind) => run.reason instanceof kind)) asked.end(run.reason);
      reject(run.reason as Error);
    };
    const end = (): void => asked.end(handler?.reason);
    const settled = (): void => {
      run.removeEventListener("abort", leave);
      handler?.removeEventListener("abort", end);
    };
    run.addEventListener("abort", leave, { once: true });
    handler?.addEventListener("abort", end, { once: true });
    if (run.aborted) leave();
    if (handler?.aborted === true) end();
    asked.answer.finally(settled).then(resolve, reject);
  });
}
