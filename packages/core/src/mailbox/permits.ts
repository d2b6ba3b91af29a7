/** How many handlers may be waiting for something at once in a worker (I7). First come, first served. */

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
  return {
    get free() {
      return taken < max;
    },
    take() {
      taken += 1;
    },
    give() {
      taken -= 1;
      // Who is woken may need none after all; then it is the turn of the one behind.
      for (;;) {
        const next = taken < max ? waiting.shift() : undefined;
        if (next === undefined) return;
        next();
      }
    },
    whenFree(action) {
      waiting.push(action);
    },
  };
}
