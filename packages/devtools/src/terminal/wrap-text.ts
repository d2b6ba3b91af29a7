/** Text broken between words. */
import { textWidth } from "./width.ts";

/** Lines of at most `width` columns; a longer word keeps its line, and given line ends are kept. */
export function wrapText(text: string, width: number): string {
  if (width === Infinity) return text;
  return text
    .split("\n")
    .map((line) => (textWidth(line) <= width ? line : wrapLine(line, width)))
    .join("\n");
}

function wrapLine(text: string, width: number): string {
  const indent = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(/ +/)) {
    const longer = line === indent ? line + word : `${line} ${word}`;
    if (line !== indent && textWidth(longer) > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join("\n");
}
