/**
 * Measures how doc comments begin.
 *
 * A comment that begins with a clause ("What had failed …") or with a bare pronoun ("It …") leaves
 * its subject unnamed.
 */

export interface Prose {
  /** Doc comments of modules, declarations and fields. */
  readonly comments: number;
  /** Share that begins with a clause, in per cent. */
  readonly clause: number;
  /** Share that begins with a bare pronoun, in per cent. */
  readonly pronoun: number;
}

const docComment = /\/\*\*([^]*?)\*\//g;
const clauses =
  /^(?:what|whatever|who|whoever|whom|whose|which|when|whenever|where|wherever|how|why|if|because|while|until|since|although|though|that)\b/i;
const pronouns =
  /^(?:it|its|they|them|their|this|these|those|he|she|we|you|one|nobody|nothing|everything|everybody|somebody|something)\b/i;

/** The first paragraph of each doc comment, as one line. */
function docComments(text: string): readonly string[] {
  return [...text.matchAll(docComment)]
    .map(([, body = ""]) =>
      body
        .split("\n")
        .map((line) => line.replace(/^\s*\*? ?/, ""))
        .join(" ")
        .trim(),
    )
    .filter((body) => body !== "");
}

export function proseOf(texts: readonly string[]): Prose {
  const comments = texts.flatMap(docComments);
  const share = (pattern: RegExp): number =>
    perCent(comments.filter((comment) => pattern.test(comment)).length, comments.length);
  return { comments: comments.length, clause: share(clauses), pronoun: share(pronouns) };
}

/** With one digit behind the point. */
export function perCent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10;
}
