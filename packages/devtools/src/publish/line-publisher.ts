/**
 * Publishes the lines of a stream: a bounded number at once, each bad line reported with its
 * number. Ends early when it is told to, at the first bad line if it is strict, and when the log
 * does not answer any more.
 */
import { addAbortSignal } from "node:stream";
import type { Readable } from "node:stream";
import { LogUnavailableError } from "@troupe/core/errors";
import type { Receipt } from "@troupe/core";
import { failureText } from "../failure.ts";
import { OperationWindow } from "./operation-window.ts";
import { BadLineError, publicationOf } from "./publication.ts";
import type { Publication, PublicationFields } from "./publication.ts";
import { readLines } from "./read-lines.ts";
import type { Tally } from "./tally.ts";

export interface LinePublisherOptions {
  readonly fields: PublicationFields;
  readonly inFlightMax: number;
  readonly lineBytesMax: number;
  readonly isStrict: boolean;
  readonly signal: AbortSignal;
  readonly publish: (publication: Publication) => Promise<Receipt>;
  /** Called for every line that could not be published. */
  readonly onBadLine: (lineNumber: number, why: string) => void;
}

export class LinePublisher {
  readonly #options: LinePublisherOptions;
  readonly #tally: Tally;
  readonly #inFlight: OperationWindow;
  readonly #giveUp = new AbortController();
  #unavailable: LogUnavailableError | undefined;

  constructor(options: LinePublisherOptions, tally: Tally) {
    this.#options = options;
    this.#tally = tally;
    this.#inFlight = new OperationWindow(options.inFlightMax);
  }

  /**
   * Resolves when every line that was taken has its outcome; the log's error if that was the end.
   */
  async run(input: Readable): Promise<LogUnavailableError | undefined> {
    const ending = AbortSignal.any([this.#options.signal, this.#giveUp.signal]);
    try {
      for await (const line of readLines(
        addAbortSignal(ending, input),
        this.#options.lineBytesMax,
      )) {
        this.#tally.bytesRead = line.bytesRead;
        if (ending.aborted) break;
        if (line.text !== "") await this.#take(line);
      }
    } catch (error) {
      if (!ending.aborted) throw error;
    }
    await this.#inFlight.idle();
    return this.#unavailable;
  }

  async #take(line: Parameters<typeof publicationOf>[0]): Promise<void> {
    try {
      const publication = publicationOf(line, this.#options.fields);
      await this.#inFlight.start(() => this.#publish(line.number, publication));
    } catch (error) {
      if (!(error instanceof BadLineError)) throw error;
      this.#bad(line.number, error.message);
    }
  }

  async #publish(lineNumber: number, publication: Publication): Promise<void> {
    try {
      const { duplicate } = await this.#options.publish(publication);
      this.#tally.published += 1;
      if (duplicate) this.#tally.duplicates += 1;
    } catch (error) {
      if (error instanceof LogUnavailableError) {
        this.#unavailable ??= error;
        this.#giveUp.abort();
      }
      this.#bad(lineNumber, failureText(error));
    }
  }

  #bad(lineNumber: number, why: string): void {
    this.#tally.failed += 1;
    this.#options.onBadLine(lineNumber, why);
    if (this.#options.isStrict) this.#giveUp.abort();
  }
}
