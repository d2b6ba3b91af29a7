/**
 * Text of others on somebody's terminal or in a log. Keys, payloads, failures and names come from
 * anywhere, and their content must be seen: a character that could move the cursor, hide, reorder
 * or pile up on others is written as an escape of JSON, so that JSON stays the same value.
 *
 * - TEXT-1 Control, format, private-use and invisible characters, lone surrogates, and spaces other
 *   than the ordinary ones are escaped; only whole emoji keep theirs.
 * - TEXT-2 A letter or a digit keeps the first few marks that combine with it; all others are
 *   escaped.
 * - TEXT-3 Printable text stays as it is.
 */

/**
 * The text as one line in which every character can be seen.
 *
 * @example
 * ```ts
 * printable("two\nlines"); // one line in which the line end can be seen
 * ```
 */
export function printable(text: string): string {
  if (plain.test(text)) return text;
  return text.replaceAll(
    special,
    (found: string, emoji?: string, base?: string, marks?: string) => {
      if (emoji !== undefined) return emoji;
      return base === undefined || marks === undefined ? escaped(found) : base + withFew(marks);
    },
  );
}

/**
 * Several lines in which everything can be seen; only line ends stay.
 *
 * @example
 * ```ts
 * console.log(printableLines(text));
 * ```
 */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join("\n");
}

/** Scripts of today need up to three marks on a character. */
const marksMax = 4;

const plain = /^[ -~]*$/;
const ignorable = /\p{Default_Ignorable_Code_Point}/u;
const special =
  /(\p{RGI_Emoji})|([\p{L}\p{N}])(\p{M}+)|[\p{M}\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800[\p{Zs}--[ \u3000]]]/gv;

function withFew(marks: string): string {
  const shown = Array.from(marks, (mark, index) =>
    index < marksMax && !ignorable.test(mark) ? mark : escaped(mark),
  );
  return shown.join("");
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, index) => {
    const hex = text.charCodeAt(index).toString(16).padStart(4, "0");
    return String.raw`\u${hex}`;
  }).join("");
}
