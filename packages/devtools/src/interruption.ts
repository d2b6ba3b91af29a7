/**
 * The end that somebody else asks for: Ctrl-C, SIGTERM, or a reader that closed our output.
 *
 * The first signal asks, through `signal`, and the command stops gracefully; the second one ends
 * the process at once.
 */
import { constants } from "node:os";
import { InterruptedError } from "./failure.ts";

const endingSignals = ["SIGINT", "SIGTERM"] as const;
const signalExitBase = 128;

/** Reason for which the command was asked to end. */
export type InterruptionCause = (typeof endingSignals)[number] | "closed-output";

export class Interruption {
  readonly #controller = new AbortController();
  #cause: InterruptionCause | undefined;

  constructor() {
    for (const name of endingSignals) process.on(name, () => this.#heard(name));
  }

  /** Aborted by the first request to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Undefined as long as nobody asked. */
  get cause(): InterruptionCause | undefined {
    return this.#cause;
  }

  /** Ends the command because our output has no reader any more. */
  outputClosed(): void {
    this.#end("closed-output");
  }

  /** Resolves when somebody asks for the end. */
  requested(): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) resolve();
      else this.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** The promise's result, unless the end comes first. @throws InterruptedError */
  async orInterrupted<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    const interrupted = this.requested().then(() => {
      throw new InterruptedError();
    });
    return Promise.race([work, interrupted]);
  }

  #heard(name: (typeof endingSignals)[number]): void {
    if (this.signal.aborted) process.exit(signalExitBase + constants.signals[name]);
    this.#end(name);
  }

  #end(cause: InterruptionCause): void {
    if (this.signal.aborted) return;
    this.#cause = cause;
    this.#controller.abort(new InterruptedError());
  }
}
