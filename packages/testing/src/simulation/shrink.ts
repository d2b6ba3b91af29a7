/**
 * Makes a failing run small: leaves out faults and actions as long as the same rule is still
 * broken.
 *
 * Delta debugging in its simplest form: try without the first half, the second half, quarters, and
 * so on down to single ones; then bring the faults earlier, which lets more actions go. Leaving
 * something out shifts everything after it, so a run may stop failing by luck; then the larger one
 * stays.
 */
import type { Fault } from "./fault.ts";
import type { SimulateOptions, SimulationRun } from "./simulate.ts";
import { simulate } from "./simulate.ts";
import type { System } from "./system.ts";

/** Runs that shrinking may cost. */
const runsMax = 300;

/** The smallest run found that breaks the rule of `found`. */
export async function shrink(system: System, found: SimulationRun): Promise<SimulationRun> {
  const rule = found.findings[0]?.rule;
  if (rule === undefined) return found;
  const all = found.actions;
  let runs = 0;
  let smallest = found;
  const breaksIt = async (plan: readonly Fault[], actions: readonly number[]): Promise<boolean> => {
    runs += 1;
    const without = new Set(all.filter((action) => !actions.includes(action)));
    const options: SimulateOptions = { ...system, seed: found.seed, plan, without };
    const run = await simulate(options);
    const isBroken = run.findings.some((finding) => finding.rule === rule);
    if (isBroken) smallest = run;
    return isBroken;
  };
  const inTime = (): boolean => runs < runsMax;
  let faults = found.faults;
  let actions = found.actions;
  for (let before = Infinity; before > faults.length + actions.length && inTime();) {
    before = faults.length + actions.length;
    faults = await fewer(faults, (left) => breaksIt(left, actions), inTime);
    actions = await fewer(actions, (left) => breaksIt(faults, left), inTime);
    faults = await earlier(faults, (moved) => breaksIt(moved, actions), inTime);
  }
  return smallest;
}

/** The items that are needed for `isEnough`, as far as leaving out neighbours shows. */
async function fewer<Item>(
  items: readonly Item[],
  isEnough: (items: readonly Item[]) => Promise<boolean>,
  inTime: () => boolean,
): Promise<readonly Item[]> {
  let left = items;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < left.length && inTime();) {
      const without = left.toSpliced(from, size);
      if (await isEnough(without)) left = without;
      else from += size;
    }
  }
  return left;
}

/**
 * Faults that come too late for few actions would keep many: bring them as early as they still do
 * it.
 */
async function earlier(
  faults: readonly Fault[],
  isEnough: (faults: readonly Fault[]) => Promise<boolean>,
  inTime: () => boolean,
): Promise<readonly Fault[]> {
  let moved = faults;
  for (let divisor = 8; divisor > 1 && inTime(); divisor /= 2) {
    const tried = moved.map((fault) => ({ ...fault, atStep: Math.ceil(fault.atStep / divisor) }));
    if (await isEnough(tried)) moved = tried;
  }
  return moved;
}
