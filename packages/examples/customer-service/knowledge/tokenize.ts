/**
 * Splits a text into the terms that the full-text index compares.
 *
 * Latin words are lower-cased, freed from stop words and cut to a crude stem ("charged" and
 * "charges" meet at "charg"). Chinese is split into words by `Intl.Segmenter`; where its dictionary
 * and the writer disagree about word borders, the pairs of neighbouring characters still match, so
 * both are terms. Numbers say nothing about a topic and are left out.
 */
import { stopWords } from "./stop-words.ts";

const segmenter = new Intl.Segmenter("zh", { granularity: "word" });

/** The distinct terms of a text, in order of first appearance. */
export function tokenize(text: string): string[] {
  const normal = text.normalize("NFKC").toLowerCase();
  return [...new Set([...latinTerms(normal), ...chineseTerms(normal)])];
}

function latinTerms(text: string): readonly string[] {
  const words = text.replaceAll(/wi-fi/g, "wifi").match(/[a-z][a-z']*[a-z]/g) ?? [];
  return words
    .map((word) => word.replace(/'s$/, "").replaceAll("'", ""))
    .filter((word) => !stopWords.has(word))
    .map(stem);
}

function chineseTerms(text: string): readonly string[] {
  const runs = text.match(/\p{Script=Han}+/gu) ?? [];
  return runs
    .flatMap((run) => [...wordsOf(run), ...pairsOf(run)])
    .filter((term) => !stopWords.has(term));
}

function wordsOf(run: string): readonly string[] {
  return Array.from(segmenter.segment(run), ({ segment }) => segment).filter(
    ({ length }) => length > 1,
  );
}

function pairsOf(run: string): readonly string[] {
  return Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2));
}

/**
 * Removes the commonest English endings; wrong in detail, but equally wrong in article and query.
 */
function stem(word: string): string {
  if (word.length <= 4) return word.length > 3 ? word.replace(/(?<!s)s$/, "") : word;
  return word.replace(/(?:ings?|ed|es|s|e|ly|ation|ment)$/, "").replace(/([^aeiousl])\1$/, "$1");
}
