/**
 * Text of others on somebody's terminal: control and direction characters could move the cursor,
 * hide or reorder what is shown, so they are written as escapes.
 */

// oxlint-disable-next-line no-control-regex -- control characters are what must not pass.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line without control characters. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(4, "0");
    return String.raw`\u${hex}`;
  });
}

/** Several lines without other control characters. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join("\n");
}
