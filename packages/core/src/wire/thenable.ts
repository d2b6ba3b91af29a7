/**
 * Awaiting means more than promises: every value with a `then` is waited for, or refused by name
 * where nothing can wait. A builder of queries that is not awaited does nothing at all.
 */

/** Whether a value is one to wait for. @throws what reading its `then` throws */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  if (value instanceof Promise) return true;
  return typeof (value as { readonly then?: unknown }).then === "function";
}

/**
 * A returned value as a promise; undefined when there is nothing to wait for. Its own `then` is
 * called once, and the outcome of that ends in the promise. @throws what reading its `then` throws
 */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
  return isThenable(value) ? Promise.resolve(value) : undefined;
}

/** Result of `then` for the value, or a promise of it when the value has to be waited for. */
export function whenThere(value: unknown, then: (value: unknown) => unknown): unknown {
  const later = promiseOf(value);
  return later === undefined ? then(value) : later.then(then);
}

/**
 * Lets go of a promise that was refused: a later failure of it must not become an unhandled
 * rejection. One that begins when it is waited for never begins.
 */
export function ignore(outcome: unknown): void {
  if (outcome instanceof Promise) outcome.catch(() => undefined);
}
