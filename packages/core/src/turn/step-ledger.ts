/**
 * The steps of one input's turn: what is recorded, and what waits to be. It outlives the runs of a
 * handler.
 */
import type { RecordedStep } from "./step-record.ts";

interface Refusal {
  readonly step: RecordedStep;
  readonly why: unknown;
}

export class StepLedger {
  readonly #values: Map<string, unknown>;
  #pending: RecordedStep[] = [];
  /** Noted, and not known to be in the journal. */
  readonly #unrecorded = new Set<string>();
  /** Of those, what was used at once (S3). */
  readonly #drawn = new Set<string>();
  /** Those of effects that the log refused: whoever waited for them was told. */
  readonly #refused = new Map<string, Refusal>();
  /** An append that is on its way, whichever run of the handler began it. */
  appending: Promise<void> | undefined;
  /** How often each name was used in this run. */
  readonly #used = new Map<string, number>();

  constructor(recorded: readonly RecordedStep[]) {
    this.#values = new Map(recorded.map(({ name, value }) => [name, value]));
  }

  /** What it knows now, for a run that goes on beside the next one. */
  copy(): StepLedger {
    const copy = new StepLedger([]);
    for (const [name, value] of this.#values) copy.#values.set(name, value);
    for (const [name, count] of this.#used) copy.#used.set(name, count);
    copy.#pending = [...this.#pending];
    return copy;
  }

  /** The handler starts (again): its steps are counted from the beginning. */
  begin(): void {
    this.#used.clear();
  }

  /** The unique name of the next step of this name: the same in every run of the handler. */
  next(name: string): string {
    const count = this.#used.get(name) ?? 0;
    this.#used.set(name, count + 1);
    return count === 0 ? name : `${name}#${count + 1}`;
  }

  has(unique: string): boolean {
    return this.#values.has(unique);
  }

  value(unique: string): unknown {
    return this.#values.get(unique);
  }

  /** An effect is done; it is recorded with the next append, before anybody uses its result. */
  note(step: RecordedStep): void {
    this.#values.set(step.name, step.value);
    this.#unrecorded.add(step.name);
    this.#pending.push(step);
  }

  /** A value is drawn and used at once; it is recorded with the next append, or with the turn. */
  noteDrawn(step: RecordedStep): void {
    this.#drawn.add(step.name);
    this.note(step);
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Nothing was stored: they wait again. */
  putBack(steps: readonly RecordedStep[]): void {
    this.#pending = [...steps, ...this.#pending];
  }

  /**
   * The log will not store these. What was drawn is in use, so it goes with the next
   * append or with the turn, or these fail; the result of an effect goes when it is asked for.
   */
  refused(steps: readonly RecordedStep[], why: unknown): void {
    this.putBack(steps.filter(({ name }) => this.#drawn.has(name)));
    for (const step of steps) {
      if (!this.#drawn.has(step.name)) this.#refused.set(step.name, { step, why });
    }
  }

  /** An append is over. @throws why the log refused this step */
  requireStored(unique: string): void {
    const refusal = this.#refused.get(unique);
    if (refusal !== undefined) throw refusal.why;
  }

  /** A later run asks for it: it may not have it before it is recorded. */
  offerAgain(unique: string): void {
    const refusal = this.#refused.get(unique);
    if (refusal === undefined) return;
    this.#refused.delete(unique);
    this.putBack([refusal.step]);
  }

  /** The journal has them. */
  recorded(steps: readonly RecordedStep[]): void {
    for (const { name } of steps) this.#unrecorded.delete(name);
  }

  isRecorded(unique: string): boolean {
    return this.#values.has(unique) && !this.#unrecorded.has(unique);
  }

  takePending(): readonly RecordedStep[] {
    const pending = this.#pending;
    this.#pending = [];
    return pending;
  }
}
