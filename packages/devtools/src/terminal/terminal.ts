/**
 * The two streams of a command: results go to the output, everything about them goes to the error
 * stream. Colour and the status line appear only on a terminal that shows them; NO_COLOR is
 * respected.
 *
 * Nothing else in this package writes to them, and everything that is written passes `Paint.seen`:
 * whatever a line is made of, it is one line in which everything can be seen, coloured by us alone.
 */
import { clearLine, cursorTo } from "node:readline";
import { styleText } from "node:util";
import { CommandError } from "../failure.ts";
import { Paint } from "./paint.ts";
import type { Style } from "./paint.ts";

export class Terminal {
  readonly #output = process.stdout;
  readonly #notes = process.stderr;
  readonly #paint = new Paint();
  #status = "";
  #isClosed = false;
  #isExpendable = false;
  #failure: Error | undefined;

  /** `onClosed` is called when nobody reads the output any more. */
  constructor(onClosed: () => void) {
    this.#output.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      if (error.code === "EPIPE") onClosed();
      else if (this.#isExpendable) this.note(`The work goes on without output: ${error.message}.`);
      else this.#failure = error;
    });
    this.#notes.on("error", () => undefined);
  }

  /**
   * From now on the output is less than what the command does: when it cannot be written any more,
   * that is said once and the command goes on.
   */
  goOnWithoutOutput(): void {
    this.#isExpendable = true;
  }

  /** @throws CommandError when the output could not be written, say, because a disk is full */
  requireOutput(): void {
    if (this.#failure === undefined) return;
    const why = `The output cannot be written: ${this.#failure.message}.`;
    throw new CommandError(why, { cause: this.#failure });
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
    this.#write(this.#output, this.#paint.seen(line));
  }

  /** Lines of the result, such as pretty JSON. */
  printLines(text: string): void {
    this.#write(this.#output, this.#paint.linesSeen(text));
  }

  /** A line about the result, on the error stream. */
  note(line: string): void {
    this.#write(this.#notes, this.#paint.seen(line));
  }

  /** Lines about the result, such as a message that is broken between words. */
  noteLines(text: string): void {
    this.#write(this.#notes, this.#paint.linesSeen(text));
  }

  /** A question on the error stream; the answer is typed behind it. */
  prompt(question: string): void {
    this.status("");
    this.#notes.write(`${this.#paint.seen(question)} `);
  }

  /**
   * The line that stays below everything else, until it is empty again; shorter than `noteWidth`.
   * Nothing is written when nobody could see it.
   */
  status(line: string): void {
    if (!this.hasStatus) return;
    this.#eraseStatus();
    this.#status = line;
    this.#notes.write(this.#paint.seen(line));
  }

  /** Styled for the output. */
  paint(style: Style, text: string): string {
    return hasColour(this.#output) ? this.#paint.styled(style, text) : text;
  }

  /** Styled for the error stream. */
  paintNote(style: Style, text: string): string {
    return hasColour(this.#notes) ? this.#paint.styled(style, text) : text;
  }

  /** Resolves when everything that was written has left. */
  async flush(): Promise<void> {
    this.status("");
    await Promise.all([written(this.#output), written(this.#notes)]);
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    if (stream === this.#output) this.requireOutput();
    if (this.#isClosed && stream === this.#output) return;
    const shown = this.#status;
    this.#eraseStatus();
    stream.write(`${text}\n`);
    if (shown !== "") this.status(shown);
  }

  #eraseStatus(): void {
    if (this.#status === "") return;
    this.#status = "";
    cursorTo(this.#notes, 0);
    clearLine(this.#notes, 0);
  }
}

function hasColour(stream: NodeJS.WriteStream): boolean {
  return styleText("red", "", { stream }) !== "";
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("close", resolve);
    stream.write("", () => resolve());
  });
}
