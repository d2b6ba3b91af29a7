/**
 * Turns the word lists of the data files into one expression.
 *
 * A word is itself a regular expression. One in ASCII matches whole words only; Chinese has no
 * spaces between words, so one with Chinese characters matches anywhere. Case never matters.
 */

/** An expression that matches any of the words. */
export function compileWords(words: readonly string[]): RegExp {
  return new RegExp(words.map(atWordBoundaries).join("|"), "i");
}

function atWordBoundaries(word: string): string {
  return /^[ -~]+$/.test(word) ? `\\b(?:${word})\\b` : word;
}
