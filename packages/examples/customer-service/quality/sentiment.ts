/**
 * The mood of a customer, judged by single words.
 *
 * A small lexicon gives words a weight between -2 and 2. A negation just before a word turns it
 * round and halves it: "not happy" is bad, but less so than "angry"; "not bad" is mild praise.
 * Shouting (capitals, several exclamation marks) makes either feeling stronger. The method misses
 * irony and everything between the lines; it serves to see trends and to notice anger early, not to
 * judge a single message.
 */
import { z } from "zod";
import { readNdjson } from "../data/read-ndjson.ts";

/** The feeling of one text. */
export interface Sentiment {
  /** From -1 (furious) to 1 (delighted); 0 when no word of the lexicon occurs. */
  readonly score: number;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
}

interface Feeling {
  readonly word: string;
  readonly weight: number;
}

const lexiconLine = z.object({
  language: z.enum(["en", "zh", "any"]),
  weight: z.number().min(-2).max(2),
  words: z.array(z.string().min(1)).min(1),
});

const lexicon = new Map(
  readNdjson(new URL("../data/sentiment-lexicon.ndjson", import.meta.url), lexiconLine).flatMap(
    ({ words, weight }) => words.map((word) => [word, weight] as const),
  ),
);

/**
 * Longer words first, so that none is read as a shorter one inside it. Words are letters or emoji:
 * no need to escape.
 */
const anyWord = new RegExp(
  [...lexicon.keys()]
    .toSorted((a, b) => b.length - a.length)
    .map((word) => (/^[a-z]/.test(word) ? `\\b${word}\\b` : word))
    .join("|"),
  "gu",
);

/** Up to two English words, or one Chinese one, may stand between the negation and the word. */
const englishNegation =
  "\\b(?:not|never|no|nothing|hardly|without|\\w+n['’]?t)(?:\\s+\\w+){0,2}\\s+";
const chineseNegation = "[不没别未无](?:有|太|很|怎么|那么|这么|什么|啥)?";
const negation = new RegExp(`(?:${englishNegation}|${chineseNegation})$`, "u");
const negated = -0.5;
const shouting = 1.5;
/** The sum of weights at which a feeling counts as half of the strongest. */
const half = 2;

/** The feeling of a text in English, Chinese or both. */
export function analyseSentiment(text: string): Sentiment {
  const feelings = feelingsIn(text.normalize("NFKC"));
  const sum =
    feelings.reduce((total, { weight }) => total + weight, 0) * (shouts(text) ? shouting : 1);
  return {
    score: sum / (Math.abs(sum) + half),
    positive: feelings.filter(({ weight }) => weight > 0).map(({ word }) => word),
    negative: feelings.filter(({ weight }) => weight < 0).map(({ word }) => word),
  };
}

function feelingsIn(text: string): readonly Feeling[] {
  const lower = text.toLowerCase();
  return Array.from(lower.matchAll(anyWord), ({ 0: word, index }) => {
    const weight = lexicon.get(word) ?? 0;
    return { word, weight: negation.test(lower.slice(0, index)) ? weight * negated : weight };
  });
}

function shouts(text: string): boolean {
  const letters = text.replace(/[^A-Za-z]/g, "");
  const capitals = letters.replace(/[a-z]/g, "").length;
  return /[!!]{2,}/.test(text) || (letters.length >= 12 && capitals > letters.length * 0.8);
}
