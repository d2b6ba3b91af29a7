/**
 * The steps of one input's turn: the recorded ones, and those that wait to be. It outlives the runs
 * of a handler.
 */
import { AsksUnderWay } from "./asks-under-way.ts";
import type { RecordedStep } from "../../journal/recorded-step.ts";
import { identityKey } from "../../journal/recorded-step.ts";

interface Refusal {
  readonly step: RecordedStep;
  readonly why: unknown;
}

export class StepLedger {
  readonly #steps: Map<string, RecordedStep>;
  #pending: RecordedStep[] = [];
  /** Noted, and not known to be in the journal. */
  readonly #unrecorded = new Set<string>();
  /** Keys of the values among them that were used at once (STEP-3). */
  readonly #drawn = new Set<string>();
  /** Refused steps of effects; the run that waited for each was told. */
  readonly #refused = new Map<string, Refusal>();
  /** An append that is on its way, whichever run of the handler began it. */
  appending: Promise<void> | undefined;
  readonly asks: AsksUnderWay;

  constructor(recorded: readonly RecordedStep[], asks: AsksUnderWay = new AsksUnderWay()) {
    this.asks = asks;
    this.#steps = new Map(recorded.map((step) => [identityKey(step), step]));
  }

  /** A copy of the ledger as it is now, for a run that goes on beside the next one. */
  copy(): StepLedger {
    const copy = new StepLedger([...this.#steps.values()], this.asks);
    copy.#pending = [...this.#pending];
    return copy;
  }

  /** All steps that it knows. */
  get steps(): Iterable<RecordedStep> {
    return this.#steps.values();
  }

  step(key: string): RecordedStep | undefined {
    return this.#steps.get(key);
  }

  /** An effect is done; it is recorded with the next append, before anybody uses its result. */
  note(step: RecordedStep): void {
    const key = identityKey(step);
    this.#steps.set(key, step);
    this.#unrecorded.add(key);
    this.#pending.push(step);
  }

  /** A value is drawn and used at once; it is recorded with the next append, or with the turn. */
  noteDrawn(step: RecordedStep): void {
    this.#drawn.add(identityKey(step));
    this.note(step);
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** True while a drawn value is in use that the journal may not have (STEP-3). */
  get hasUnrecordedDraws(): boolean {
    for (const key of this.#unrecorded) if (this.#drawn.has(key)) return true;
    return false;
  }

  /** Takes back steps that were not stored: they wait again. */
  putBack(steps: readonly RecordedStep[]): void {
    this.#pending = [...steps, ...this.#pending];
  }

  /**
   * The log will not store these. Drawn values are in use, so they go with the next append or with
   * the turn, or these fail; the result of an effect goes when it is asked for.
   */
  refused(steps: readonly RecordedStep[], why: unknown): void {
    this.putBack(steps.filter((step) => this.#drawn.has(identityKey(step))));
    for (const step of steps) {
      const key = identityKey(step);
      if (!this.#drawn.has(key)) this.#refused.set(key, { step, why });
    }
  }

  /** An append is over. @throws why the log refused this step */
  requireStored(key: string): void {
    const refusal = this.#refused.get(key);
    if (refusal !== undefined) throw refusal.why;
  }

  /** A later run asks for it: it may not have it before it is recorded. */
  offerAgain(key: string): void {
    const refusal = this.#refused.get(key);
    if (refusal === undefined) return;
    this.#refused.delete(key);
    this.putBack([refusal.step]);
  }

  /** The journal has them. */
  recorded(steps: readonly RecordedStep[]): void {
    for (const step of steps) this.#unrecorded.delete(identityKey(step));
  }

  isRecorded(key: string): boolean {
    return this.#steps.has(key) && !this.#unrecorded.has(key);
  }

  takePending(): readonly RecordedStep[] {
    const pending = this.#pending;
    this.#pending = [];
    return pending;
  }
}
