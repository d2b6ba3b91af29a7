/**
 * The asks that a turn has made, whichever run of its handler made them.
 *
 * A run that fails, or is given up for another start from the journal, does not call its asks back:
 * the next run wants the same answer, and waits for the same ask. Once the turn is stored, whether
 * handled or given up for good, nobody wants what is still open, such as the slower ask of a race:
 * that is called back. A batch whose handler goes on for other messages may wait for it until then.
 */
import { AskCancelledError } from "../../errors/ask-errors.ts";
import { TurnGivenBackError } from "../../errors/definition-errors.ts";
import { LogUnavailableError, RevisionConflictError } from "../../errors/log-errors.ts";
import { DeadlinePassedError } from "../../errors/message-errors.ts";
import type { Position } from "../../definition/message/input.ts";

/** An ask that a turn has made. */
export interface Asked {
  readonly answer: Promise<unknown>;
  /** Calls the ask back, for this reason. */
  end(reason: unknown): void;
}

/** A call of a batch handler, in which other messages may need what this one asked (BATCH-4). */
export interface AskingCall {
  /** True while the handler runs and at least one of its messages needs it. */
  readonly wanted: boolean;
  /** Call `action` once when it is wanted no longer. */
  whenUnwanted(action: () => void): void;
}

export class AsksUnderWay {
  readonly #asks = new Map<string, Asked>();
  /** Calls that asked, or joined an ask of an earlier run. */
  #calls: Set<AskingCall> | undefined;
  /** Positions of the asks on the log, once they are accepted. */
  readonly #positions = new Map<string, Position>();

  accepted(key: string, position: Position): void {
    this.#positions.set(key, position);
  }

  positionOf(key: string): Position | undefined {
    return this.#positions.get(key);
  }

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
    // A run that waits for it hears of it there. The next run repeats an ask that failed without an
    // answer, as the same ask.
    answer.catch((thrown: unknown) => {
      const isAnswer = !withoutAnswer.some((kind) => thrown instanceof kind);
      if (!isAnswer && this.#asks.get(key) === asked) this.#asks.delete(key);
    });
    this.#asks.set(key, asked);
    return asked;
  }

  /** The handler of this call may wait for them, whatever becomes of this turn. */
  askedIn(call: AskingCall): void {
    this.#calls ??= new Set();
    this.#calls.add(call);
  }

  end(reason: unknown): void {
    for (const asked of this.#asks.values()) asked.end(reason);
    this.#asks.clear();
  }

  /** The turn is stored: call back what is open, as soon as no batch may wait for it. */
  callBack(): void {
    for (const call of this.#calls ?? []) {
      if (call.wanted) return call.whenUnwanted(() => this.callBack());
    }
    this.end(left);
  }
}

/** Reason of the end of an ask that its turn did not wait for. */
const left = new AskCancelledError("The turn that asked ended without waiting for the answer.");

/** The log's trouble, which is over some time. */
const withoutAnswer = [LogUnavailableError, RevisionConflictError];

/** Errors with which a run's end is also that of its asks. */
const ends = [TurnGivenBackError, AskCancelledError, DeadlinePassedError];

/** Signals of those who may stop waiting for an ask. */
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
