/**
 * The code of a file without its comments and the contents of its strings, line by line in place,
 * so that a rule about code does not trip over prose.
 *
 * A scanner of four states, not a parser: code inside `${…}` of a template counts as string. Good
 * enough for rules, and as fast as reading the file.
 */
type Inside = "code" | "line comment" | "block comment" | '"' | "'" | "`" | "/";

/** Text that may stand before a slash that starts a regular expression rather than divides. */
const beforeExpression = /(?:^|[(,=:[!&|?{};>]|\breturn|\bcase)\s*$/;

export function codeOnly(text: string): string {
  let inside: Inside = "code";
  let code = "";
  for (let at = 0; at < text.length; at += 1) {
    const here = text[at] ?? "";
    const pair = text.slice(at, at + 2);
    if (inside === "code") {
      inside = opening(pair, code);
      code += inside === "code" ? here : blank(here);
    } else if (inside === "line comment") {
      if (here === "\n") inside = "code";
      code += blank(here);
    } else if (inside === "block comment") {
      if (pair === "*/") {
        inside = "code";
        code += " ";
        at += 1;
      }
      code += blank(here);
    } else if (here === "\\") {
      code += "  ";
      at += 1;
    } else {
      if (here === inside || (here === "\n" && inside !== "`")) inside = "code";
      code += blank(here);
    }
  }
  return code;
}

const blank = (here: string): string => (here === "\n" ? "\n" : " ");

function opening(pair: string, before: string): Inside {
  if (pair === "//") return "line comment";
  if (pair === "/*") return "block comment";
  const here = pair[0];
  if (here === '"' || here === "'" || here === "`") return here;
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return here === "/" && beforeExpression.test(line) ? "/" : "code";
}
