/**
 * Starting again when the log went back or was made anew: everything in memory is about something
 * that is gone, so all of it is dropped, and the share is taken again from what the log says now
 * (I16).
 */
import type { Clock } from "../../clock/clock.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";
import { backoffMs, type RetryPolicy } from "../../definition/retry-policy.ts";

export interface FreshStartHost {
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: { readonly retry: RetryPolicy };
  fault(what: string, thrown: unknown): void;
  /** Whether the worker stops. */
  readonly isOver: () => boolean;
  /** Forget what is in memory, and hand nothing of it on. */
  readonly drop: () => void;
  /** Get to know the log as it is now; tried again until it succeeds. */
  readonly prepare: () => Promise<void>;
  /** Take the share. */
  readonly take: () => void;
}

export class FreshStart {
  readonly #host: FreshStartHost;
  #starting = false;
  #cancel: (() => void) | undefined;

  constructor(host: FreshStartHost) {
    this.#host = host;
  }

  /** The log changed; nothing happens while that is being dealt with already. */
  begin(change: TroupeError): void {
    if (this.#starting || this.#host.isOver()) return;
    this.#host.fault("log", change);
    this.#starting = true;
    this.#host.drop();
    void this.#start(1);
  }

  /** The worker stops. */
  stop(): void {
    this.#cancel?.();
  }

  async #start(attempt: number): Promise<void> {
    const { clock, isOver, prepare, random, settings, take } = this.#host;
    if (isOver()) return;
    try {
      await prepare();
    } catch (thrown) {
      if (isOver()) return;
      this.#host.fault("starting again on the changed log", thrown);
      const delayMs = backoffMs(settings.retry, attempt, random);
      this.#cancel = clock.after(delayMs, () => void this.#start(attempt + 1));
      return;
    }
    this.#starting = false;
    if (!isOver()) take();
  }
}
