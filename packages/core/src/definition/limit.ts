/**
 * Declaring a limit: the amount of something scarce, such as a model's quota, that all workers of a
 * namespace use together. A limit is plain frozen data; its allowance is shared by its name.
 */
import { thrownText } from "../errors/thrown.ts";
import { InvalidLimitError } from "../errors/limit-errors.ts";
import { keyToToken } from "./message/key-token.ts";
import { requireOptions } from "./option-rules.ts";

export interface Rate {
  /**
   * Amount that may be used within any `perMs`: a number of calls, or the sum of their costs.
   * Minimum 1.
   */
  readonly count: number;
  /** Length of the window in milliseconds. Minimum 1000. */
  readonly perMs: number;
}

export interface LimitOptions {
  /** Effects at work at once, in all workers together. Minimum 1. @default as many as there are */
  readonly concurrency?: number;
  /** Amount that may be used within a time. @default no rate */
  readonly rate?: Rate;
}

export interface Limit extends LimitOptions {
  readonly kind: "limit";
  readonly name: string;
}

/** A limit together with what one use of it costs of the rate's count. Minimum 1. */
export interface WeightedLimit {
  readonly limit: Limit;
  readonly cost: number;
}

/** A limit as a step names it, with a cost of its own or without. */
export type LimitUse = Limit | WeightedLimit;

/**
 * Declare a limit, for `ctx.step(name, effect, { limit })`. @param name any text; the same name is
 * the same limit in every worker of the namespace. @throws InvalidLimitError
 *
 * @example
 * ```ts
 * const tokens = limit("model-tokens", {
 *   concurrency: 8,
 *   rate: { count: 60_000, perMs: 60_000 },
 * });
 * await ctx.step("draft", () => model.complete("tea"), { limit: tokens, cost: 500 });
 * ```
 */
export function limit(name: string, options: LimitOptions): Limit {
  const { concurrency, rate } = options;
  requireLimitName(name);
  requireOptions(`Limit ${name}: `, options, { concurrency: "other", rate: "other" });
  if (concurrency === undefined && rate === undefined) {
    throw invalid(name, "it has neither concurrency nor rate: it would limit nothing");
  }
  if (concurrency !== undefined && !isCount(concurrency)) {
    throw invalid(name, `its concurrency is ${concurrency}, and not a whole number of at least 1`);
  }
  if (rate === undefined) return Object.freeze({ kind: "limit", name, ...options });
  requireOptions(`Limit ${name}: rate.`, rate, { count: "other", perMs: "other" });
  const { count, perMs } = rate;
  if (!isCount(count)) {
    throw invalid(name, `its rate's count is ${count}, and not a whole number of at least 1`);
  }
  if (!(perMs >= perMsMin && perMs <= Number.MAX_SAFE_INTEGER)) {
    throw invalid(name, `its rate's perMs is ${perMs}, and not at least ${perMsMin} milliseconds`);
  }
  return Object.freeze({ kind: "limit", name, ...options, rate: Object.freeze({ count, perMs }) });
}

/** Every limit of a step with its cost. @throws InvalidLimitError */
export function limitsOf(
  uses: LimitUse | readonly LimitUse[],
  costDefault: number,
): readonly WeightedLimit[] {
  const all = "length" in uses ? uses : [uses];
  const weighted = all.map((use) => ("limit" in use ? use : { limit: use, cost: costDefault }));
  const names = new Set(weighted.map((use) => use.limit.name));
  if (names.size < weighted.length) {
    throw new InvalidLimitError(
      `A step names a limit twice (${weighted.map((use) => use.limit.name).join(", ")}): name each once.`,
    );
  }
  for (const { limit: used, cost } of weighted) requireCost(used, cost);
  return weighted;
}

/** A shorter window than this would be lost in the time that a permit is on its way. */
const perMsMin = 1000;

function requireLimitName(name: string): void {
  try {
    keyToToken(name);
  } catch (cause) {
    throw new InvalidLimitError(
      `A limit cannot be named ${JSON.stringify(name)}: ${thrownText(cause)}`,
      { details: { limit: name }, cause },
    );
  }
}

function requireCost({ name, rate }: Limit, cost: number): void {
  if (!isCount(cost)) {
    throw invalid(name, `a step costs ${cost}, and not a whole number of at least 1`);
  }
  if (rate === undefined || cost <= rate.count) return;
  throw invalid(name, `a step costs ${cost}, which its rate of ${rate.count} never allows`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function invalid(name: string, why: string): InvalidLimitError {
  return new InvalidLimitError(`The limit ${name} is not usable: ${why}.`, {
    details: { limit: name },
  });
}
