/** The latencies of many calls, and how they are spread. */
import { windowed } from "./ledger.ts";
import { percentile } from "./measure.ts";

export interface Calls {
  readonly count: number;
  /** @default 1: one after the other */
  readonly inFlight?: number;
  readonly call: () => Promise<unknown>;
}

/** Milliseconds that each call took. */
export async function latenciesMs({ call, count, inFlight = 1 }: Calls): Promise<number[]> {
  const tookMs: number[] = [];
  await windowed(count, inFlight, async () => {
    const startedAt = performance.now();
    await call();
    tookMs.push(performance.now() - startedAt);
  });
  return tookMs;
}

/** The same for calls one after the other, as many as there is time for. */
export async function latenciesForMs(
  forMs: number,
  call: () => Promise<unknown>,
): Promise<number[]> {
  const tookMs: number[] = [];
  const endsAt = performance.now() + forMs;
  for (let startedAt = performance.now(); startedAt < endsAt; startedAt = performance.now()) {
    await call();
    tookMs.push(performance.now() - startedAt);
  }
  return tookMs;
}

export type Quantile = "p50" | "p95" | "p99" | "max";

export function quantiles(values: readonly number[]): Readonly<Record<Quantile, number>> {
  return {
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    p99: percentile(values, 0.99),
    max: percentile(values, 1),
  };
}
