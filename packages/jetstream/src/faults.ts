/** Trouble that no call reports, for whoever listens to the log. */

type FaultListener = (what: string, thrown: unknown) => void;

export class Faults {
  readonly #listeners = new Set<FaultListener>();

  /** Returns the function that ends it. */
  listen(listener: FaultListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(what: string, thrown: unknown): void {
    for (const listener of this.#listeners) listener(what, thrown);
  }
}
