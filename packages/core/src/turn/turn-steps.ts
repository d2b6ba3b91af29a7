/**
 * Steps of a running turn (I6).
 *
 *  S1 A step whose result is recorded returns it; its function does not run.
 *  S2 A step with an asynchronous function resolves only after its result is in the journal. Steps that finish while an
 *     append is on its way go together with the next one, so many at once cost few round trips; what is too large together
 *     goes one after the other. When the log refuses the record of one step, that step fails; a later run offers the same result again, its effect does not run again.
 *  S3 A step with a synchronous function (the clock, chance, a computation) costs no round trip: it is recorded with
 *     the next append or with the turn. Nothing that others can see happens in between, because whatever others can see
 *     is an asynchronous step, or part of the turn's commit.
 *  S4 A result comes back as it was stored, in the first run as in every later one.
 *  S5 Between the end of an effect and its record a crash makes it run again. The idempotency key is the same then.
 */
import { StepTimeoutError } from "../errors/message-errors.ts";
import { agentName } from "../log/address.ts";
import { stored } from "../wire/storable.ts";
import type { StepInfo, StepOptions } from "./context.ts";
import { holding, waitForLimits } from "./step-limits.ts";
import type { StepLedger } from "./step-ledger.ts";
import type { RecordedStep } from "./step-record.ts";
import type { StepRecord } from "./step-record.ts";
import type { Turn } from "./turn.ts";

/** Where a turn's steps are kept: its mailbox. */
export interface StepStore {
  /** The steps of the input at this position. */
  ledgerOf(turn: Turn): StepLedger;
  /** Store a step record; rejects when the turn was given up. */
  append(turn: Turn, steps: StepRecord): Promise<void>;
}

export class TurnSteps {
  readonly #turn: Turn;
  readonly #store: StepStore;
  #ledger: StepLedger;

  constructor(turn: Turn, store: StepStore) {
    this.#turn = turn;
    this.#store = store;
    this.#ledger = store.ledgerOf(turn);
    this.#ledger.begin();
  }

  /** Run an effect once, ever. */
  async run(
    name: string,
    effect: (step: StepInfo) => unknown,
    signal: AbortSignal,
    options: StepOptions,
  ): Promise<unknown> {
    this.#turn.requireOpen();
    const unique = this.#ledger.next(name);
    if (this.#ledger.has(unique)) {
      if (!this.#ledger.isRecorded(unique)) await this.#record(unique);
      return this.#ledger.value(unique);
    }
    const { clock } = this.#turn.host;
    const permit =
      options.limit === undefined
        ? undefined
        : await waitForLimits(this.#turn, unique, options, signal);
    const startedAtMs = clock.monotonicMs();
    const run = (): unknown => effect({ idempotencyKey: this.#idempotencyKey(unique), signal });
    const outcome = permit === undefined ? run() : holding(permit, run);
    const isEffect = outcome instanceof Promise;
    const result = isEffect ? await this.#inTime(outcome, unique, options.timeoutMs) : outcome;
    this.#turn.requireOpen();
    const value = stored(result, `The result of the step ${unique}`);
    if (this.#turn.muted) return value;
    const tookMs = Math.round(clock.monotonicMs() - startedAtMs);
    const step = { name: unique, value, tookMs };
    if (!isEffect) this.#ledger.noteDrawn(step);
    else {
      this.#ledger.note(step);
      await this.#flush();
      this.#ledger.requireStored(unique);
    }
    return value;
  }

  /** A value that is drawn once, ever, and needs no round trip (S3). */
  draw(name: string, value: () => unknown): unknown {
    this.#turn.requireOpen();
    const unique = this.#ledger.next(name);
    if (this.#ledger.has(unique)) return this.#ledger.value(unique);
    const drawn = value();
    if (!this.#turn.muted) this.#ledger.noteDrawn({ name: unique, value: drawn, tookMs: 0 });
    return drawn;
  }

  /**
   * The turn is given up: the ledger belongs to its next run, which must not see what a batch
   * handler still does with this one (M4).
   */
  detach(): void {
    this.#ledger = this.#ledger.copy();
  }

  /** The turn's record was not made after all. */
  putBack(steps: readonly RecordedStep[]): void {
    this.#ledger.putBack(steps);
  }

  /** What is not recorded yet, for the turn's own record. */
  takePending(): ReturnType<StepLedger["takePending"]> {
    return this.#ledger.takePending();
  }

  #idempotencyKey(unique: string): string {
    const { agent, delivery } = this.#turn;
    return `${agentName(agent)}@${delivery.input.position}/${unique}`;
  }

  /** An earlier run took it; its append failed, was refused, or is still on its way (S2). */
  async #record(unique: string): Promise<void> {
    const ledger = this.#ledger;
    await ledger.appending?.catch(() => undefined);
    ledger.offerAgain(unique);
    await this.#flush();
    ledger.requireStored(unique);
  }

  async #flush(): Promise<void> {
    const ledger = this.#ledger;
    // Its own run hears when it fails; here it only has to be over.
    await ledger.appending?.catch(() => undefined);
    this.#turn.requireOpen();
    if (this.#turn.muted) return undefined;
    if (ledger.appending !== undefined) return ledger.appending;
    if (!ledger.hasPending) return undefined;
    // Whoever comes first appends for all that are done by now; the others wait for it.
    const appending = this.#append().finally(() => {
      if (ledger.appending === appending) ledger.appending = undefined;
    });
    ledger.appending = appending;
    return appending;
  }

  async #append(): Promise<void> {
    const { delivery, host } = this.#turn;
    const steps = this.#ledger.takePending();
    const inputPosition = delivery.input.position;
    try {
      await this.#store.append(this.#turn, { inputPosition, steps, worker: host.worker });
    } catch (thrown) {
      if (!this.#turn.muted) throw thrown;
    }
  }

  #inTime(
    outcome: Promise<unknown>,
    unique: string,
    timeoutMs: number | undefined,
  ): Promise<unknown> {
    if (timeoutMs === undefined) return outcome;
    const { agent, host } = this.#turn;
    return new Promise((resolve, reject) => {
      const cancel = host.clock.after(timeoutMs, () => {
        const name = agentName(agent);
        reject(
          new StepTimeoutError(
            `The step ${unique} of ${name} took longer than ${timeoutMs} ms. Whether its effect happened is unknown; it is tried again with the same idempotency key.`,
            { details: { agent: name, step: unique, timeoutMs } },
          ),
        );
      });
      outcome.then(resolve, reject).finally(cancel);
    });
  }
}
