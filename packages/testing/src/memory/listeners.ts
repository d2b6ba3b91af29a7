/** A set of listeners, told in the order they came. */
export class Listeners<Arguments extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly tell: (...values: Arguments) => void }>();

  /** Returns the function that ends it. The same listener may be added twice. */
  add(listener: (...values: Arguments) => void): () => void {
    const entry = { tell: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  tell(...values: Arguments): void {
    for (const { tell } of this.#listeners) tell(...values);
  }
}
