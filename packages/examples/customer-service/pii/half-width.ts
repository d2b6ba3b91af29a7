/**
 * Full-width characters (１３９、＠、－) as their ASCII twins.
 *
 * Chinese input methods produce them without the writer noticing. The result has the same length as
 * the input, position by position, so a span found in it can be cut out of the original.
 */

const fullWidthOffset = 0xff01 - 0x21;

/** The text with full-width characters, wide spaces and typographic dashes replaced one for one. */
export function toHalfWidth(text: string): string {
  return text
    .replace(/[\uFF01-\uFF5E]/g, (c) => String.fromCharCode(c.charCodeAt(0) - fullWidthOffset))
    .replace(/[\u00A0\u2002-\u200A\u202F\u3000\t]/g, " ")
    .replace(/[\u2010-\u2015\u2212]/g, "-");
}
