/** Many seeds of one system; a failing one is shrunk and told. */
import { setImmediate as nextRound } from "node:timers/promises";

import { requireNumbers } from "@troupe/core/engine";
import { atLeastOne, atLeastZero } from "@troupe/core/log";
import { shrink } from "./shrink.ts";
import type { SimulationRun } from "./simulate.ts";
import { simulate } from "./simulate.ts";
import { storyOf } from "./story.ts";
import type { System } from "./system.ts";

export interface SimulateSeedsOptions extends System {
  /** Number of seeds. Minimum 1. @default 200 */
  readonly count?: number;
  /** The first seed. @default 1 */
  readonly from?: number;
  /** The command that runs one seed again, to be printed when it fails. */
  readonly again?: (seed: number) => string;
}

export interface SeedsSummary {
  readonly runs: number;
  readonly steps: number;
}

/**
 * A seed for which something does not hold. Its message tells the shortest history that was found.
 */
export class SimulationFailedError extends Error {
  readonly seed: number;
  /** The shrunk run. */
  readonly run: SimulationRun;
  /** Runs and steps before it. */
  readonly summary: SeedsSummary;

  constructor(message: string, run: SimulationRun, summary: SeedsSummary) {
    super(message);
    this.name = "SimulationFailedError";
    this.seed = run.seed;
    this.run = run;
    this.summary = summary;
  }
}

/**
 * Runs seeds until one fails. @throws SimulationFailedError
 *
 * @example
 * ```ts
 * await simulateSeeds({ ...system, count: 100 });
 * ```
 */
export async function simulateSeeds(options: SimulateSeedsOptions): Promise<SeedsSummary> {
  requireNumbers("Simulation option ", options, { count: atLeastOne, from: atLeastZero });
  const { again, count = 200, from = 1, ...system } = options;
  let steps = 0;
  for (let seed = from; seed < from + count; seed++) {
    const run = await simulate({ ...system, seed });
    steps += run.steps;
    const summary = { runs: seed - from + 1, steps };
    if (run.findings.length > 0) {
      const shrunk = await shrink(system, run);
      const message = messageOf(system.name ?? "system", shrunk, again?.(seed));
      throw new SimulationFailedError(message, shrunk, summary);
    }
    // A run never leaves the microtasks; other work of this process gets its share in between.
    await nextRound();
  }
  return { runs: count, steps };
}

function messageOf(name: string, run: SimulationRun, again: string | undefined): string {
  const { actions, faults, findings, seed, steps } = run;
  return [
    `${name}, seed ${seed}, does not hold:`,
    ...findings.slice(0, 10).map(({ rule, what }) => `  ${rule}: ${what}`),
    `Its shortest history has ${faults.length} faults, ${actions.length} actions, ${steps} steps:`,
    ...storyOf(run),
    ...(again === undefined ? [] : [`Run it again: ${again}`]),
  ].join("\n");
}
