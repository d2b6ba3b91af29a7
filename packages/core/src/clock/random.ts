/**
 * Chance as the engine sees it: the jitter of back-offs, and ids that nobody else may have. A
 * simulation brings its own, so that one seed is one behaviour.
 */

/** A number from 0 up to, not including, 1. */
export type Random = () => number;

/** Source of chance with which ids come from the system's random bytes. */
export const systemRandom: Random = Math.random;

/** `bytes` random bytes in hexadecimal. */
export function hexOf(random: Random, bytes: number): string {
  let hex = "";
  for (let i = 0; i < bytes; i++) {
    hex += Math.floor(random() * 256)
      .toString(16)
      .padStart(2, "0");
  }
  return hex;
}
