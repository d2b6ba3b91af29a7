/**
 * The words of the house: words that were replaced do not come back, and a rule's label carries its
 * topic. The words in use are in docs/glossary.md.
 */
import { matchingLines, type Rule } from "./rule.ts";

/** Joins a word from two halves, so that this file does not break its own rules. */
const word = (start: string, end: string): string => start + end;

interface OldWord {
  readonly pattern: RegExp;
  /** The word that stands there instead. */
  readonly now: string;
}

const oldWords: readonly OldWord[] = [
  { pattern: new RegExp(word("mis", "fit"), "i"), now: "unroutable message" },
  { pattern: new RegExp(`\\b${word("sea", "ts?")}\\b|Batch${word("Se", "at")}`, "i"), now: "slot" },
  {
    pattern: new RegExp(`\\b${word("resid", "ents")}(?:Max)?\\b`, "i"),
    now: "activations, activationsMax",
  },
  { pattern: new RegExp(`\\b${word("ver", "dict")}\\b`, "i"), now: "forced failure" },
  { pattern: new RegExp(word("idle[- ]?", "line"), "i"), now: "LRU list" },
  { pattern: new RegExp(`\\b(?:interface|type|class) ${word("Wan", "ted")}\\b`), now: "Demand" },
];

/** A letter and a number; the invariants (I1 to I18) are of the whole and keep theirs. */
const bareLabel = /\((?:see )?(?:SH|[A-HJ-Z])\d{1,2}(?:[,)–:]| to | and | in )/;
/** Histories, and data that people wrote. */
const left =
  /^(?:\.changeset\/|CHANGELOG\.md|package-lock\.json|packages\/examples\/|test\/bench\/results\/)/;
const written = /\.(?:ts|md|mjs|conf)$/;

const file = (text: string) => [{ path: "packages/core/src/turn.ts", text }];

export const noOldWords: Rule = {
  says: "no file uses a word that was replaced",
  breaches: ({ path, text }) =>
    left.test(path) || !written.test(path)
      ? []
      : oldWords.flatMap(({ now, pattern }) => matchingLines(text, pattern, `say ${now}`)),
  broken: [
    ...file(`const ${word("mis", "fits")} = 1;\n`),
    ...file(`// It takes a ${word("se", "at")}.\n`),
    ...file(`const ${word("resid", "entsMax")} = 1;\n`),
    ...file(`// its ${word("ver", "dict")}\n`),
    ...file(`class ${word("Idle", "Line")} {}\n`),
    ...file(`interface ${word("Wan", "ted")} {}\n`),
  ],
};

export const labelsWithTopic: Rule = {
  says: "the label of a rule carries its topic",
  breaches: ({ path, text }) =>
    left.test(path) || !/\.(?:ts|md)$/.test(path)
      ? []
      : matchingLines(text, bareLabel, "say PARK-1, not one letter and a number"),
  broken: [
    ...file(`/** Parked (${word("P", "1")}). */\n`),
    ...file(`// (${word("L", "5")}, I7)\n`),
  ],
};
