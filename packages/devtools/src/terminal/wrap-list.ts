/** A list of names after a label, on as many lines as the width asks for. */
import { padEnd, textWidth } from "./width.ts";

export interface WrapListOptions {
  /** Columns before the label. */
  readonly indent: number;
  /** Columns of the label, with the space after it. */
  readonly labelWidth: number;
  readonly width: number;
}

/** `label  one, two, three`, continued below the first item. */
export function wrapList(
  label: string,
  items: readonly string[],
  options: WrapListOptions,
): readonly string[] {
  const { indent, labelWidth, width } = options;
  const lines: string[] = [];
  let line = " ".repeat(indent) + padEnd(label, labelWidth);
  let isEmpty = true;
  for (const [index, item] of items.entries()) {
    const piece = index === items.length - 1 ? item : `${item},`;
    if (!isEmpty && textWidth(line) + 1 + textWidth(piece) > width) {
      lines.push(line);
      line = " ".repeat(indent + labelWidth);
      isEmpty = true;
    }
    line += isEmpty ? piece : ` ${piece}`;
    isEmpty = false;
  }
  return [...lines, line];
}
