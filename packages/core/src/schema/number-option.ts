/** Options that are numbers: what is not usable is refused by name, before anything starts. */
import { DefinitionError } from "../errors/definition-errors.ts";

export interface NumberRule {
  readonly least: number;
  /** No fractions. @default false */
  readonly whole?: boolean;
  /** Infinity is allowed, for "never" or "without end". @default false */
  readonly infinite?: boolean;
}

/** Usual rules. */
export const atLeastOne: NumberRule = Object.freeze({ least: 1, whole: true });
export const atLeastOneOrInfinite: NumberRule = Object.freeze({ ...atLeastOne, infinite: true });
export const delay: NumberRule = Object.freeze({ least: 0 });
export const duration: NumberRule = Object.freeze({ least: 1 });

/**
 * Every option that has a rule and is there keeps it.
 *
 * @param what begins the message: "Worker option "
 * @throws DefinitionError
 */
export function requireNumbers<Options extends object>(
  what: string,
  options: Options,
  rules: { readonly [Name in keyof Options]?: NumberRule },
): void {
  for (const [name, rule] of Object.entries<NumberRule>(rules as Record<string, NumberRule>)) {
    // Whatever it is in a program without types.
    const value = options[name as keyof Options] as number | undefined;
    if (value === undefined || keeps(value, rule)) continue;
    throw new DefinitionError(`${what}${name} is ${value}; it must be ${said(rule)}.`, {
      details: { option: `${what}${name}`, value },
    });
  }
}

/** The options without those that are undefined, so that these take their defaults. */
export function defined<Options extends object>(options: Options): Options {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Options;
}

function keeps(value: unknown, { least, whole = false, infinite = false }: NumberRule): boolean {
  if (typeof value !== "number" || !(value >= least)) return false;
  if (value === Infinity) return infinite;
  return !whole || Number.isInteger(value);
}

function said({ least, whole = false, infinite = false }: NumberRule): string {
  return `a ${whole ? "whole " : ""}number of at least ${least}${infinite ? ", or Infinity" : ""}`;
}
