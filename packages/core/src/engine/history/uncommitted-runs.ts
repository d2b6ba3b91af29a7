/** Runs of inputs that are not handled yet, as far as the journal tells of them. */
import type { Position } from "../../definition/message/input.ts";
import type { EarlierRun } from "../../journal/earlier-run.ts";
import { withRuns } from "../../journal/earlier-run.ts";
import type { StepRecord } from "../../journal/step-record.ts";

/** A run that was written down before it began. */
interface BegunRun {
  readonly session: string;
  readonly worker: string;
  readonly startedAtMs: number;
}

export class UncommittedRuns {
  /** Runs that were written down before they began, by position. */
  #begun: Map<Position, readonly BegunRun[]> | undefined;
  /** Runs that failed, of turns that are not committed, by position. */
  #failed: Map<Position, readonly EarlierRun[]> | undefined;

  /** Whether there are runs that were written down before they began, of any input. */
  get hasBegun(): boolean {
    return this.#begun !== undefined;
  }

  /** Sessions of the workers that began to handle this input, as far as it was written down. */
  begunOf(inputPosition: Position): readonly string[] {
    return (this.#begun?.get(inputPosition) ?? []).map(({ session }) => session);
  }

  /**
   * Runs of this input that failed, and those whose processes ended meanwhile. @param session of
   * the worker that asks: its own run is under way
   */
  earlierOf(inputPosition: Position, session: string): readonly EarlierRun[] {
    const failed = this.#failed?.get(inputPosition) ?? noRuns;
    const begun = this.#begun?.get(inputPosition);
    if (begun === undefined) return failed;
    return withRuns(failed, begun.filter((each) => each.session !== session).map(diedIn));
  }

  remember(record: StepRecord): void {
    const { begun, earlierRuns = noRuns, ended, inputPosition, startedAtMs = 0, worker } = record;
    const session = begun ?? ended;
    if (session !== undefined) {
      this.#begun ??= new Map();
      const known = this.#begun.get(inputPosition) ?? [];
      const others = known.filter((each) => each.session !== session);
      const runs = begun === undefined ? others : [...others, { session, startedAtMs, worker }];
      this.#begun.set(inputPosition, runs);
    }
    if (earlierRuns.length === 0) return;
    this.#failed ??= new Map();
    const known = this.#failed.get(inputPosition) ?? noRuns;
    this.#failed.set(inputPosition, withRuns(known, earlierRuns));
  }

  /** A new count begins. */
  forgetBegun(): void {
    this.#begun = undefined;
  }

  /** Closes the runs of inputs up to this one. */
  close(lastInput: Position): void {
    if (this.#begun !== undefined) this.#begun = openAfter(this.#begun, lastInput);
    if (this.#failed !== undefined) this.#failed = openAfter(this.#failed, lastInput);
  }
}

/** Entries without those of inputs up to this one; undefined when none are left. */
export function openAfter<Value>(
  open: Map<Position, Value>,
  lastInput: Position,
): Map<Position, Value> | undefined {
  for (const position of open.keys()) if (position <= lastInput) open.delete(position);
  return open.size === 0 ? undefined : open;
}

const noRuns: readonly EarlierRun[] = Object.freeze([]);

function diedIn({ startedAtMs, worker }: BegunRun, index: number): EarlierRun {
  const message = "The process of the worker ended during this run.";
  const rest = { code: "process-died", message, tookMs: 0, delayMs: 0 };
  return { run: index + 1, ...rest, startedAtMs, worker };
}
