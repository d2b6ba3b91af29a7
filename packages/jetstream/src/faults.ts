/** Trouble that no call reports, for whoever listens to the log. */

type FaultListener = (what: string, thrown: unknown) => void;

const rememberedMax = 10_000;

export class Faults {
  readonly #told = new Set<string>();
  readonly #listeners = new Set<FaultListener>();

  /** Returns the function that ends it. */
  listen(listener: FaultListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The same trouble, known by its key, is told once however often it is met. */
  tellOnce(key: string, what: string, thrown: unknown): void {
    if (this.#told.has(key)) return;
    if (this.#told.size >= rememberedMax) this.#told.clear();
    this.#told.add(key);
    this.tell(what, thrown);
  }

  tell(what: string, thrown: unknown): void {
    for (const listener of this.#listeners) listener(what, thrown);
  }
}
