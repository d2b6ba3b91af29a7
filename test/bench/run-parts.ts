/**
 * Runs parts one after the other, each on a stage of its own and for a bounded time. A part that
 * fails costs its own rows and nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { CannotRunError } from "./benchmark.ts";
import type { Bench } from "./benchmark.ts";
import type { BenchRow } from "./measure.ts";
import { unmeasured } from "./measure.ts";
import type { SelectedPart } from "./select-parts.ts";
import { openStage } from "./stage.ts";

export interface RunOptions extends Pick<Bench, "minutes" | "progress" | "quick"> {
  /** Hears the rows of every part as soon as it is done. */
  readonly onRows: (rows: readonly BenchRow[]) => Promise<void>;
}

/** Resolves with whether all parts came to their end. */
export async function runParts(
  parts: readonly SelectedPart[],
  options: RunOptions,
): Promise<boolean> {
  let isWhole = true;
  for (const [index, { part, wants }] of parts.entries()) {
    options.progress(`${part.rows} (${index + 1} of ${parts.length})`);
    const startedAt = performance.now();
    try {
      const rows = await inTime(part, options);
      await options.onRows(rows.filter(wants));
    } catch (thrown) {
      const cannot = thrown instanceof CannotRunError;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      if (!cannot) {
        isWhole = false;
        options.progress(thrown instanceof Error ? (thrown.stack ?? why) : why);
      }
      const said = cannot ? `cannot run here: ${why}` : `failed: ${why}`;
      await options.onRows([unmeasured(part.rows, said, cannot ? null : false)]);
    }
    options.progress(`  took ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  return isWhole;
}

async function inTime(
  { minutesMax, rows, run }: SelectedPart["part"],
  { minutes, progress, quick }: RunOptions,
): Promise<readonly BenchRow[]> {
  const stage = await openStage();
  const limit = minutesMax === "as told" ? minutes + 5 : (minutesMax ?? (quick ? 2 : 5));
  const done = new AbortController();
  const tooLong = sleep(limit * 60_000, undefined, { signal: done.signal }).then(
    () => {
      throw new Error(`${rows} took more than ${limit} minutes and was given up.`);
    },
    () => [],
  );
  const indented = (line: string): void => progress(`  ${line}`);
  try {
    const running = run({ stage, quick, minutes, progress: indented });
    return await Promise.race([running, tooLong]);
  } finally {
    done.abort();
    await stage[Symbol.asyncDispose]();
  }
}
