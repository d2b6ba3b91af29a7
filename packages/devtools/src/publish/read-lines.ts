/**
 * Lines of a byte stream, each at most so many bytes: a longer one is skipped and reported, so that
 * memory stays bounded whatever is piped in (I7). Knows LF and CRLF, a byte order mark, and a last
 * line without an end.
 */

export interface Line {
  /** 1 for the first. */
  readonly number: number;
  /** Undefined when it is longer than allowed or not UTF-8; `problem` says which. */
  readonly text: string | undefined;
  readonly problem: string | undefined;
  /** Bytes of the stream up to the end of this line. */
  readonly bytesRead: number;
}

const lineFeed = 0x0a;

export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Line, void, undefined> {
  const reader = new LineReader(lineBytesMax);
  for await (const chunk of source) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      if (end < 0) break;
      reader.add(chunk.subarray(start, end));
      yield reader.finish(1);
      start = end + 1;
    }
    reader.add(chunk.subarray(start));
  }
  if (reader.hasBytes) yield reader.finish(0);
}

class LineReader {
  readonly #lineBytesMax: number;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #number = 0;
  #bytesRead = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  get hasBytes(): boolean {
    return this.#bytes > 0;
  }

  /** A part of the current line. */
  add(piece: Uint8Array): void {
    this.#bytes += piece.byteLength;
    if (this.#bytes <= this.#lineBytesMax) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  /** The current line, whose end takes so many bytes. */
  finish(endBytes: number): Line {
    this.#number += 1;
    this.#bytesRead += this.#bytes + endBytes;
    const common = { number: this.#number, bytesRead: this.#bytesRead };
    const bytes = this.#bytes;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    if (bytes > this.#lineBytesMax) {
      const problem = `the line has ${bytes} bytes, at most ${this.#lineBytesMax} are allowed`;
      return { ...common, text: undefined, problem };
    }
    try {
      return { ...common, text: this.#utf8.decode(joined).trim(), problem: undefined };
    } catch {
      return { ...common, text: undefined, problem: "it is not valid UTF-8" };
    }
  }
}
