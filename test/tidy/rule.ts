/** The shape of a rule of the house: one file in, the sentences to print out. */

/** A file that git tracks, with its path from the root of the repository. */
export interface TrackedFile {
  readonly path: string;
  readonly text: string;
}

/** A rule that a machine can hold. */
export interface Rule {
  /** The rule as a sentence; it names the test. */
  readonly says: string;
  /** Messages, one per breach, each with a line number where there is one. */
  readonly breaches: (file: TrackedFile) => readonly string[];
  /** The smallest file that breaks the rule: a rule that cannot fail holds nothing. */
  readonly broken: readonly TrackedFile[];
}

export const isCode = (path: string): boolean => /\.(?:ts|mts|mjs|js)$/.test(path);

export const isTest = (path: string): boolean => path.endsWith(".test.ts");

/** A message for each line that the pattern matches. */
export function matchingLines(text: string, pattern: RegExp, what: string): string[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      pattern.test(line) ? [`line ${index + 1}: ${what}: ${line.trim().slice(0, 80)}`] : [],
    );
}
