/**
 * The cost of removing beyond a retention: the same deposits for accounts that keep ten turns,
 * while the rest is being removed, against accounts that keep everything. `npm run retention` does
 * it for longer, with changed code in the middle, and looks at what is left.
 */
import type { WorkerOptions } from "@troupe/core";

import type { Benchmark } from "./benchmark.ts";
import { ratioAtLeast } from "./goal.ts";
import { account } from "./ledger.ts";
import { contest } from "./measure.ts";
import { raceTroupe } from "./turn-race.ts";

/** So that much goes within a round. */
const settings: WorkerOptions["collector"] = { settleMs: 500, lookMs: 250, prefixMin: 4096 };

export const collector: Benchmark = {
  name: "collector",
  what: "Turns per second while what is beyond a retention is removed, against keeping everything.",
  parts: [
    {
      rows: "collector",
      run: async ({ progress, quick, stage }) => {
        const race = { turns: quick ? 10_000 : 60_000, keys: 100, progress };
        const kept = account.retention({ turns: 10 });
        const worker = { collector: settings };
        const run = async (more: Partial<Parameters<typeof raceTroupe>[1]>): Promise<number> =>
          (await raceTroupe(stage, { ...race, ...more })).turnsPerSecond;
        return contest({
          name: "collector",
          unit: "turns/s",
          better: "more",
          versus: "the same without a retention; 100 keys, ten turns are kept",
          goal: ratioAtLeast(0.9),
          rounds: quick ? 2 : 5,
          ours: () => run({ definition: kept, worker }),
          theirs: () => run({}),
        });
      },
    },
  ],
};
