/**
 * Options: an unusable one is refused by name, before anything starts. Unusable is a number that is
 * none or out of bounds, as from `Number(process.env.SIZE)`, and a name that nothing reads, such as
 * a slip in spelling, which would leave the default in force without a word.
 */
import { DefinitionError } from "../errors/definition-errors.ts";

export interface NumberRule {
  readonly least: number;
  /** @default none */
  readonly most?: number;
  /** No fractions. @default false */
  readonly whole?: boolean;
  /** Infinity is allowed, for "never" or "without end". @default false */
  readonly infinite?: boolean;
}

/**
 * Rules for all options of a call: a number's rule checks it; the others are checked where they are
 * used.
 */
export type OptionRules<Options> = {
  readonly [Name in keyof Required<Options>]: NumberRule | "other";
};

/** Usual rules. */
export const atLeastOne: NumberRule = Object.freeze({ least: 1, whole: true });
export const atLeastOneOrInfinite: NumberRule = Object.freeze({ ...atLeastOne, infinite: true });
export const atLeastZero: NumberRule = Object.freeze({ least: 0, whole: true });
export const delay: NumberRule = Object.freeze({ least: 0 });
export const duration: NumberRule = Object.freeze({ least: 1 });

/**
 * Every option is known, and keeps its rule where it is there.
 *
 * @param what begins the message: "Worker option "
 * @throws DefinitionError
 */
export function requireOptions<Options extends object>(
  what: string,
  options: Options,
  rules: OptionRules<Options>,
): void {
  const known = rules as Readonly<Record<string, NumberRule | "other">>;
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const rule = Object.hasOwn(known, name) ? known[name] : undefined;
    if (rule === undefined) throw unknownOption(what, name, Object.keys(known));
    if (rule !== "other") requireNumber(`${what}${name}`, value, rule);
  }
}

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
    requireNumber(`${what}${name}`, options[name as keyof Options], rule);
  }
}

/** @param value whatever it is in a program without types. @throws DefinitionError */
export function requireNumber(what: string, value: unknown, rule: NumberRule): void {
  if (value === undefined || keeps(value, rule)) return;
  throw new DefinitionError(`${what} is ${shown(value)}; it must be ${said(rule)}.`, {
    details: { option: what, value },
  });
}

/** The options without those that are undefined, so that these take their defaults. */
export function defined<Options extends object>(options: Options): Options {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Options;
}

function keeps(value: unknown, rule: NumberRule): boolean {
  const { least, most = Infinity, whole = false, infinite = false } = rule;
  if (typeof value !== "number" || !(value >= least)) return false;
  if (value === Infinity) return infinite;
  return value <= most && (!whole || Number.isInteger(value));
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : `${value as number}`;
}

function said({ least, most, whole = false, infinite = false }: NumberRule): string {
  const bounds = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`;
  return `a ${whole ? "whole " : ""}number ${bounds}${infinite ? ", or Infinity" : ""}`;
}

function unknownOption(what: string, name: string, known: readonly string[]): DefinitionError {
  return new DefinitionError(
    `${what}${name} does not exist; there are: ${known.toSorted().join(", ")}.`,
    { details: { option: `${what}${name}`, known } },
  );
}
