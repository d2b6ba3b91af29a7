/**
 * Credit of a reader: the messages and bytes that it may still ask the server for, and those that
 * it has asked for.
 *
 *  1. Messages and bytes asked for and not yet delivered never exceed the credit, and the bytes
 *     never the reader's share of its connection's budget.
 *  2. The server answers pulls one after the other. A pull ends when its messages are delivered,
 *     when it expires, or when the next message is larger than what is left of its bytes; that one
 *     is the first of the next pull.
 *  3. A message that is larger than the whole credit is asked for by itself, without a bound, once
 *     nothing else is held: it gets through, and never together with others.
 */

export interface Pull {
  readonly batch: number;
  /** Absent for a single message of any size. */
  readonly max_bytes?: number;
}

interface Asked {
  messages: number;
  bytes: number;
}

export class PullCredit {
  #messages: number;
  #messagesMax: number;
  #bytes: number;
  #bytesMax: number;
  /** Oldest first. */
  #pulls: Asked[] = [];
  #askedMessages = 0;
  #askedBytes = 0;
  /** The next message has more bytes than this. */
  #tooFewBytes = 0;

  constructor(messages: number, bytes: number) {
    this.#messages = messages;
    this.#messagesMax = messages;
    this.#bytes = bytes;
    this.#bytesMax = bytes;
  }

  /** Whether an answer is to be expected. */
  get asks(): boolean {
    return this.#pulls.length > 0;
  }

  grant(messages: number, bytes: number): void {
    this.#messages += messages;
    if (this.#messages > this.#messagesMax) this.#messagesMax = this.#messages;
    this.#bytes += bytes;
    if (this.#bytes > this.#bytesMax) this.#bytesMax = this.#bytes;
  }

  /**
   * Pull to ask for now, so that one is always under way while there is room, and pulls are few.
   */
  next(shareBytes: number): Pull | undefined {
    const messages = this.#messages - this.#askedMessages;
    if (messages <= 0) return undefined;
    const most = Math.min(this.#bytesMax, shareBytes);
    const bytes = Math.min(this.#bytes, most) - this.#askedBytes;
    if (this.asks) {
      // The pulls that are under way hear first that the next message is too large for them.
      if (this.#tooFewBytes > 0) return undefined;
      if (messages * 2 < this.#messagesMax || bytes * 4 < most) return undefined;
      return this.#ask(messages, Math.min(bytes, Math.ceil(most / 2)));
    }
    const isAllFree = this.#bytes >= this.#bytesMax;
    if (bytes <= this.#tooFewBytes) return isAllFree ? this.#askForOne() : undefined;
    // The held part comes back in time, and then more is asked for at once.
    if (!isAllFree && bytes * pullsOfCredit < most) return undefined;
    const half = Math.ceil(most / 2);
    return this.#ask(messages, half > this.#tooFewBytes ? Math.min(bytes, half) : bytes);
  }

  /** A message came. @param wireBytes as the server counts, @param bytes as they are granted */
  received(wireBytes: number, bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
    this.#tooFewBytes = 0;
    const [oldest] = this.#pulls;
    if (oldest === undefined) return;
    oldest.messages -= 1;
    oldest.bytes -= wireBytes;
    this.#askedMessages -= 1;
    this.#askedBytes -= wireBytes;
    if (oldest.messages === 0 || oldest.bytes <= 0) this.#end(oldest);
  }

  /** The oldest pull is over. @param tooLarge the next message did not fit into what was left */
  ended(tooLarge: boolean): void {
    const [oldest] = this.#pulls;
    if (oldest === undefined) return;
    if (tooLarge) this.#tooFewBytes = Math.max(this.#tooFewBytes, oldest.bytes);
    this.#end(oldest);
  }

  /** The server forgot what it was asked for. */
  forget(): void {
    this.#pulls = [];
    this.#askedMessages = 0;
    this.#askedBytes = 0;
  }

  #ask(messages: number, bytes: number): Pull {
    this.#pulls.push({ messages, bytes });
    this.#askedMessages += messages;
    this.#askedBytes += bytes;
    return { batch: messages, max_bytes: bytes };
  }

  #askForOne(): Pull {
    this.#ask(1, Number.MAX_SAFE_INTEGER / 2);
    return { batch: 1 };
  }

  #end(pull: Asked): void {
    this.#pulls.shift();
    this.#askedMessages -= pull.messages;
    this.#askedBytes -= pull.bytes;
  }
}

/** Parts of the credit: while some of it is held, a pull is for at least one of them. */
const pullsOfCredit = 8;
