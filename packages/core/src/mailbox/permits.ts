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
      if (taken < max) waiting.shift()?.();
    },
    whenFree(action) {
      waiting.push(action);
    },
  };
}
