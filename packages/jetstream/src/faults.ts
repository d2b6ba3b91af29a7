/** Trouble that no call reports, for whoever listens to the log. */

type FaultListener = (what: string, thrown: unknown) => void;

const rememberedMax = 10_000;
const earlyMax = 100;

export class Faults {
  readonly #told = new Set<string>();
  /** Faults that were told before anybody listened. */
  #early: Parameters<FaultListener>[] = [];
  readonly #listeners = new Set<FaultListener>();

  /** Returns the function that ends it. */
  listen(listener: FaultListener): () => void {
    this.#listeners.add(listener);
    for (const early of this.#early) listener(...early);
    this.#early = [];
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
    if (this.#listeners.size === 0 && this.#early.length < earlyMax)
      this.#early.push([what, thrown]);
    for (const listener of this.#listeners) listener(what, thrown);
  }
}
