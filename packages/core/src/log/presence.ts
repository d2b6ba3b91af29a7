/**
 * Announcements of the workers that are alive, and of what they hold. Presence is broadcast, not
 * stored: losing it costs time, never correctness, because the expected revision on the journal is
 * the fence (I5).
 */

export interface Presence {
  /** Worker id, unique among those that live. */
  readonly worker: string;
  /** Identity of one start of a worker: it tells two of one id apart. */
  readonly session?: string | undefined;
  /** Set while a worker that starts only listens. */
  readonly joining?: boolean | undefined;
  /** Set on the last announcement of a worker that stops. */
  readonly leaving: boolean;
  /** Set while a worker stops: it finishes what it holds and takes nothing more. */
  readonly draining?: boolean | undefined;
  /** Hosted types of which others know more: their partitions are for those others. */
  readonly lacks?: readonly string[] | undefined;
  /** Partitions this worker holds right now, by hosted agent type. */
  readonly holds: Readonly<Record<string, readonly number[]>>;
}
