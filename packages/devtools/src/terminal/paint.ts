/**
 * Colours that only we can give. Styled text is put between marks that nobody outside of this
 * process can know; when a line is written, the marks become the terminal's sequences, and every
 * other character that could do something to a terminal becomes a visible escape. So text of others
 * can neither colour nor move anything, whichever way it came into the line.
 */
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import { printable } from "@troupe/core/operate";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan" | "magenta";

export class Paint {
  readonly #mark = randomUUID();
  readonly #marks = new RegExp(`${this.#mark}<(\\d+)>`);

  /** The text with marks around it. */
  styled(style: Style, text: string): string {
    const [begin, end] = inspect.colors[style] ?? [0, 0];
    return `${this.#mark}<${begin}>${text}${this.#mark}<${end}>`;
  }

  /** The line as it is written. */
  seen(line: string): string {
    return line
      .split(this.#marks)
      .map((part, index) => (index % 2 === 0 ? printable(part) : `\u001b[${part}m`))
      .join("");
  }

  /** Several lines as they are written. */
  linesSeen(text: string): string {
    return text
      .split(/\r?\n/)
      .map((line) => this.seen(line))
      .join("\n");
  }
}
