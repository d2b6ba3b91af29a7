/** Patterns on the command line: `*` is any text, `?` one character, everything else itself. */

export interface Glob {
  /** What every match begins with. */
  readonly prefix: string;
  readonly isMatch: (text: string) => boolean;
}

export function globOf(pattern: string): Glob {
  const [prefix = ""] = pattern.split(/[*?]/, 1);
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const whole = new RegExp(`^${source}$`, "su");
  return { prefix, isMatch: (text) => whole.test(text) };
}
