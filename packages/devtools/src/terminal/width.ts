/**
 * The columns that a text takes, and texts of a given width. Chinese, Japanese and Korean
 * characters and emoji take two columns; a text is never cut inside of what people see as one
 * character.
 */
import { eastAsianWidth } from "get-east-asian-width";

const segmenter = new Intl.Segmenter();
const narrow = /^[\u0020-\u007e]*$/;
const emoji = /^\p{RGI_Emoji}$/v;
const invisible = /^[\p{Default_Ignorable_Code_Point}\p{Control}\p{Mark}\p{Surrogate}]+$/v;
const ellipsis = "…";

/** Columns of one line without control characters. */
export function textWidth(text: string): number {
  if (narrow.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += characterWidth(segment);
  return width;
}

/** The text, or as much of it as fits followed by an ellipsis. */
export function fit(text: string, widthMax: number): string {
  if (text.length <= widthMax && narrow.test(text)) return text;
  if (widthMax === Infinity) return text;
  if (widthMax < 1) return "";
  let width = 0;
  let end = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    if (width <= widthMax - 1) end = index;
    width += characterWidth(segment);
    if (width > widthMax) return text.slice(0, end) + ellipsis;
  }
  return text;
}

/** The text with spaces after it up to a width; longer texts stay as they are. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

/** The text with spaces before it up to a width; longer texts stay as they are. */
export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - textWidth(text))) + text;
}

/** Exactly so many columns. */
export function cell(text: string, width: number): string {
  return padEnd(fit(text, width), width);
}

function characterWidth(character: string): number {
  if (invisible.test(character)) return 0;
  if (emoji.test(character)) return 2;
  return eastAsianWidth(character.codePointAt(0) ?? 0);
}
