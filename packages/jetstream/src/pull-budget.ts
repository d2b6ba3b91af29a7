/**
 * Bound on the bytes that all readers of a connection may have asked the server for (I7). A server
 * drops a client that has 64 MB waiting to be read, and with it every commit and reply of the
 * process; so what is asked for at once stays far below that, whatever the windows of the readers
 * are.
 */

const askedBytesMax = 32 * 1024 * 1024;
const shareBytesMin = 64 * 1024;

export class PullBudget {
  #readers = 0;

  join(): void {
    this.#readers += 1;
  }

  leave(): void {
    this.#readers -= 1;
  }

  /** Bytes that one reader may have asked for. */
  get shareBytes(): number {
    return Math.max(shareBytesMin, Math.floor(askedBytesMax / Math.max(1, this.#readers)));
  }
}
