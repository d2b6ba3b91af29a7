/**
 * Dead letters of inputs that no agent can have: their key or subject is no address (I10).
 *
 * Each is tried until the log has it, because an unroutable message must not vanish while the log
 * is away. A dead letter that is not stored when the worker stops is found again by the next reader
 * of the partition: the floor stays below it.
 */
import type { Clock } from "../../clock/clock.ts";
import { LogUnavailableError } from "../../errors/log-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { DeadLetter } from "../../log/dead-letter.ts";
import type { Input } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import { backoffMs, type RetryPolicy } from "../../definition/retry-policy.ts";

export interface BurialHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly feed: InspectionFeed;
  readonly settings: { readonly retry: RetryPolicy };
}

export class Burials {
  readonly #host: BurialHost;
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(host: BurialHost) {
    this.#host = host;
  }

  /** `done` when it is stored. */
  bury(input: Input, done: () => void): void {
    const { address, fault, metadata, payload, position } = input;
    const letter: DeadLetter = {
      inputPosition: position,
      origin: `${address.kind}/${address.name}/${address.key}`,
      failure: errorData(fault ?? new LogUnavailableError("The address could not be read.")),
      attempts: 0,
      payload,
      contentType: metadata.contentType,
    };
    this.#try(letter, done, 1);
  }

  /** Try nothing any more. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #try(letter: DeadLetter, done: () => void, attempt: number): void {
    const { clock, feed, log, random, settings } = this.#host;
    const { failure, inputPosition } = letter;
    log.bury(letter).then(
      () => {
        feed.emit({ kind: "dead-letter", agent: undefined, inputPosition, failure });
        done();
      },
      (thrown: unknown) => {
        feed.emit({ kind: "fault", what: "storing a dead letter", failure: errorData(thrown) });
        if (this.#stopped) return;
        const cancel = clock.after(backoffMs(settings.retry, attempt, random), () => {
          this.#cancels.delete(cancel);
          this.#try(letter, done, attempt + 1);
        });
        this.#cancels.add(cancel);
      },
    );
  }
}
