/**
 * The `then` that ends a sentence of a test. A case with such a method looks like a promise:
 * awaiting the case itself, which types forbid, hands over two functions and would wait for ever.
 */

/** @param instead what to write, for who awaits the case itself */
export function lastWord<Expected, Told>(
  run: () => Promise<Told>,
  compare: (told: Told, expected: Expected) => void,
  instead: string,
): (expected: Expected, ...rest: readonly unknown[]) => Promise<Told> {
  return async (expected, ...rest) => {
    const [reject] = rest;
    if (typeof reject === "function") {
      reject(new TypeError(`Await ${instead}, not the case itself.`));
      return Promise.withResolvers<never>().promise;
    }
    const told = await run();
    compare(told, expected);
    return told;
  };
}
