/**
 * Position of a delivered message, read from its acknowledgement subject:
 *
 *   $JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<delivery seq>.<time ns>.<pending>
 *   $JS.ACK.<domain>.<account>.<stream>.<consumer>.<tries>.<stream seq>.<delivery seq>.<time ns>.<pending>[.<token>]
 *
 * This runs once per input, so the fixed beginning is compared, and the numbers are read digit by
 * digit.
 */

export interface AckSubject {
  /** Sequence in the stream: the input's position. */
  position: number;
  /** Sequence among the deliveries of this consumer, from 1 without a gap. */
  delivery: number;
  storedAtMs: number;
  /** Messages the consumer has left after this one. */
  pending: number;
}

const dot = 46;
const zero = 48;
const nanosDigits = 6;

/** Reads deliveries of one consumer into one reused object. */
export class AckSubjectReader {
  readonly #names: string;
  #start = "";
  readonly #read: AckSubject = { position: 0, delivery: 0, storedAtMs: 0, pending: 0 };

  constructor(stream: string, consumer: string) {
    this.#names = `.${stream}.${consumer}.`;
  }

  /**
   * The delivery, valid until the next call; undefined when the subject is not one of this
   * consumer's.
   */
  read(reply: string): AckSubject | undefined {
    if (!this.#knows(reply)) return undefined;
    const tries = this.#start.length;
    const position = reply.indexOf(".", tries) + 1;
    const delivery = reply.indexOf(".", position) + 1;
    const time = reply.indexOf(".", delivery) + 1;
    const pending = reply.indexOf(".", time) + 1;
    if (position === 0 || delivery === 0 || time === 0 || pending === 0) return undefined;
    const into = this.#read;
    into.position = digits(reply, position);
    into.delivery = digits(reply, delivery);
    into.storedAtMs = Number(reply.slice(time, pending - 1 - nanosDigits));
    into.pending = digits(reply, pending);
    return into;
  }

  #knows(reply: string): boolean {
    if (this.#start !== "" && reply.startsWith(this.#start)) return true;
    if (!reply.startsWith("$JS.ACK.")) return false;
    const names = reply.indexOf(this.#names);
    if (names < 0) return false;
    this.#start = reply.slice(0, names + this.#names.length);
    return true;
  }
}

function digits(text: string, start: number): number {
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === dot) break;
    value = value * 10 + unit - zero;
  }
  return value;
}
