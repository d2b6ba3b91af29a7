/**
 * Bound on the bytes of answers to direct gets that a connection may have on their way (I7). A
 * worker whose keys all wake at once asks for thousands of journals together; a server drops a
 * client that has 64 MB waiting to be read. The rest waits here for its turn, first come, first
 * served.
 */

export const readBytesMax: number = 16 * 1024 * 1024;

export class ReadWindow {
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  #free = readBytesMax;

  /**
   * Calls `begin` when there is room, at once if possible; call `leave` when the answer is here.
   */
  enter(bytes: number, begin: () => void): void {
    if (this.#waiting.length > 0 || this.#free < bytes) {
      this.#waiting.push({ bytes, begin });
      return;
    }
    this.#free -= bytes;
    begin();
  }

  leave(bytes: number): void {
    this.#free += bytes;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || next.bytes > this.#free) return;
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.begin();
    }
  }
}
