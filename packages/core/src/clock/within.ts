/** Work that is waited for only so long. */
import type { Clock } from "./clock.ts";

/** Resolves when the work is done, or its time is over. */
export async function within(clock: Clock, timeMs: number, work: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const cancel = clock.after(timeMs, over.resolve);
  await Promise.race([work, over.promise]).finally(cancel);
}
