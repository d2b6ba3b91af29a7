/** So many operations at once, and no more (I7). */

export class OperationWindow {
  readonly #max: number;
  #running = 0;
  #waiting: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Start the operation as soon as there is room; resolves when it has started. It must not reject.
   */
  async start(operation: () => Promise<void>): Promise<void> {
    while (this.#running >= this.#max) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#running += 1;
    void operation().finally(() => this.#ended());
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #ended(): void {
    this.#running -= 1;
    this.#waiting?.();
    this.#waiting = undefined;
    if (this.#running === 0) this.#idle?.();
  }
}
