/** Durations on the command line: `500ms`, `30s`, `2m`. */
import { InvalidArgumentError, Option } from "commander";

const msPerUnit: Readonly<Record<string, number>> = Object.freeze({
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
});

/** Milliseconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim()) ?? [];
  const ms = Number(digits) * (msPerUnit[unit] ?? 0);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("Write a duration such as 500ms, 30s or 2m.");
}

/**
 * An option whose value is a duration in milliseconds; the help shows the default as it is written.
 */
export function durationOption(flag: string, description: string, textDefault: string): Option {
  return new Option(`${flag} <duration>`, description)
    .argParser(parseDuration)
    .default(parseDuration(textDefault), textDefault);
}
