/**
 * Bound on the handlers of a worker that may be waiting for something at once (I7). First come,
 * first served. A handler that waits for another agent's reply gives its permit back for that time.
 */

export interface Permits {
  /** Whether another handler may start now. */
  readonly free: boolean;
  take(): void;
  give(): void;
  /** Call `action` once when a permit is free again. */
  whenFree(action: () => void): void;
}

export function permits(max: number): Permits {
  let taken = 0;
  const waiting: (() => void)[] = [];
  // A waiting handler that is woken may need no permit after all; then it is the turn of the one
  // behind.
  const wake = (): void => {
    for (;;) {
      const next = taken < max ? waiting.shift() : undefined;
      if (next === undefined) return;
      next();
    }
  };
  return {
    get free() {
      return taken < max;
    },
    take() {
      taken += 1;
    },
    give() {
      taken -= 1;
      wake();
    },
    whenFree(action) {
      waiting.push(action);
    },
  };
}
