/**
 * The two streams of a command: results go to the output, everything about them goes to the error
 * stream. Colour and the status line appear only on a terminal that shows them; NO_COLOR is
 * respected.
 */
import { clearLine, cursorTo } from "node:readline";
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan" | "magenta";

export class Terminal {
  readonly #output = process.stdout;
  readonly #notes = process.stderr;
  #status = "";
  #isClosed = false;

  /** `onClosed` is called when nobody reads the output any more. */
  constructor(onClosed: () => void) {
    this.#output.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      this.#isClosed = true;
      onClosed();
    });
    this.#notes.on("error", () => undefined);
  }

  /** Whether a person reads the output. */
  get isInteractive(): boolean {
    return this.#output.isTTY;
  }

  /** Whether the error stream can show a status line. */
  get hasStatus(): boolean {
    return this.#notes.isTTY && process.env["TERM"] !== "dumb";
  }

  /** Columns of the output; COLUMNS when it is no terminal; Infinity when nothing says. */
  get width(): number {
    const columns = this.isInteractive ? this.#output.columns : Number(process.env["COLUMNS"]);
    return columns > 0 ? columns : Infinity;
  }

  /** Columns of the error stream; Infinity when it is no terminal. */
  get noteWidth(): number {
    return this.#notes.columns > 0 ? this.#notes.columns : Infinity;
  }

  /** A line of the result. */
  print(line: string): void {
    if (this.#isClosed) return;
    this.#around(() => this.#output.write(`${line}\n`));
  }

  /** A line about the result, on the error stream. */
  note(line: string): void {
    this.#around(() => this.#notes.write(`${line}\n`));
  }

  /**
   * The line that stays below everything else, until it is empty again; shorter than `noteWidth`.
   * Nothing is written when nobody could see it.
   */
  status(line: string): void {
    if (!this.hasStatus) return;
    this.#eraseStatus();
    this.#status = line;
    this.#notes.write(this.#status);
  }

  /** Styled for the output. */
  paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#output });
  }

  /** Styled for the error stream. */
  paintNote(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#notes });
  }

  /** Resolves when everything that was written has left. */
  async flush(): Promise<void> {
    this.status("");
    await Promise.all([written(this.#output), written(this.#notes)]);
  }

  #around(write: () => void): void {
    const shown = this.#status;
    this.#eraseStatus();
    write();
    if (shown !== "") this.status(shown);
  }

  #eraseStatus(): void {
    if (this.#status === "") return;
    this.#status = "";
    cursorTo(this.#notes, 0);
    clearLine(this.#notes, 0);
  }
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.write("", () => resolve());
  });
}
