/** Waiting for a condition that is looked at again whenever something changed. */

export class Changes {
  readonly #listeners = new Set<() => void>();

  /** Wakes all that wait for a change. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Resolves when the condition holds. @throws the signal's reason */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (condition()) resolve();
    };
    const onAbort = (): void => reject(signal?.reason as Error);
    this.#listeners.add(look);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await promise;
    } finally {
      this.#listeners.delete(look);
      signal?.removeEventListener("abort", onAbort);
    }
  }
}
