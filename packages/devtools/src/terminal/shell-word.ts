/** Words of a command line that people copy into a shell. */
import { printable } from "@troupe/core/operate";

const plainWord = /^[\w@%+=:,./-]+$/;

/** The word, in quotes where the shell would see more than one word or something special. */
export function shellWord(word: string): string {
  const shown = printable(word);
  return plainWord.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`;
}
