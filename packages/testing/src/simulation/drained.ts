/**
 * Resolves when nothing is left to do without another step: all promise reactions ran, and the
 * reactions to those.
 *
 * The queue of `process.nextTick` is looked at only when the microtasks are used up, however many
 * they make. This takes well under a microsecond, where one round of the event loop takes several.
 */
export function drained(): Promise<void> {
  return new Promise((resolve) => {
    queueMicrotask(() => process.nextTick(resolve));
  });
}
