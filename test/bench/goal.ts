/**
 * The goal that a row has to reach. A goal is told, never enforced: a busy machine must not fail a
 * run.
 */

export interface Goal {
  readonly words: string;
  isReached(figures: { readonly ours: number; readonly ratio: number }): boolean;
}

/** The ratio is at least so much. */
export function ratioAtLeast(least: number): Goal {
  return { words: `ratio >= ${least}`, isReached: ({ ratio }) => ratio >= least };
}

export function atLeast(least: number): Goal {
  return { words: `>= ${shown(least)}`, isReached: ({ ours }) => ours >= least };
}

export function atMost(most: number): Goal {
  return { words: `<= ${shown(most)}`, isReached: ({ ours }) => ours <= most };
}

export function below(limit: number): Goal {
  return { words: `< ${shown(limit)}`, isReached: ({ ours }) => ours < limit };
}

function shown(value: number): string {
  return value.toLocaleString("en-US");
}
