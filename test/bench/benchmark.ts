/**
 * The shape of a benchmark: a name and parts, each of which makes rows on a stage of its own.
 *
 * A part is the smallest thing that can be run: `--only` chooses parts by the names of their rows.
 * Parts share nothing, so that none of them leaves a full stream or a warm cache to the next.
 */
import type { LineChart } from "./line-chart.ts";
import type { BenchRow } from "./measure.ts";
import type { Stage } from "./stage.ts";

export interface Benchmark {
  readonly name: string;
  /** Measured quantity, in one sentence. */
  readonly what: string;
  readonly parts: readonly BenchmarkPart[];
  /** Runs only when it is named. @default false */
  readonly isOptIn?: boolean;
  /** Pictures of its rows, by file name without the ending. */
  readonly charts?: (rows: readonly BenchRow[]) => Readonly<Record<string, readonly LineChart[]>>;
}

export interface BenchmarkPart {
  /** The name of its only row, or what the names of its rows begin with, before a hyphen. */
  readonly rows: string;
  /**
   * Given up after so many minutes; "as told" for a part that lasts as long as it is told to.
   * @default 5, and 2 in a quick run
   */
  readonly minutesMax?: number | "as told" | undefined;
  /** @throws CannotRunError where the system lacks something it needs */
  readonly run: (bench: Bench) => Promise<readonly BenchRow[]>;
}

/** Surroundings that a part works with. */
export interface Bench {
  readonly stage: Stage;
  /** Fewer and shorter rounds, to see that it works. */
  readonly quick: boolean;
  /** Time for a part that runs as long as it is told to, in minutes. */
  readonly minutes: number;
  /** Tell what is going on, in a line. */
  readonly progress: (line: string) => void;
}

/** The system cannot run a benchmark: its row says so, and the run goes on. */
export class CannotRunError extends Error {
  override readonly name = "CannotRunError";
}
