/**
 * The steps of one input's turn: what is recorded, and what waits to be. It outlives the runs of a
 * handler.
 */
import type { Position } from "../log/input.ts";
import type { RecordedStep } from "./step-record.ts";

export class StepLedger {
  readonly inputPosition: Position;
  readonly #values: Map<string, unknown>;
  #pending: RecordedStep[] = [];
  /** How often each name was used in this run. */
  readonly #used = new Map<string, number>();

  constructor(inputPosition: Position, recorded: readonly RecordedStep[]) {
    this.inputPosition = inputPosition;
    this.#values = new Map(recorded.map(({ name, value }) => [name, value]));
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

  /** A step is done; it is recorded with the next append, or with the turn. */
  note(step: RecordedStep): void {
    this.#values.set(step.name, step.value);
    this.#pending.push(step);
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  takePending(): readonly RecordedStep[] {
    const pending = this.#pending;
    this.#pending = [];
    return pending;
  }
}
