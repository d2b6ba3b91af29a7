/** Faults of a simulation: plain data, so that a run can be repeated with fewer of them. */

/**
 * The number of a worker's place; a place outlives the workers that fill it one after the other.
 */
export type WorkerPlace = number;

export type Fault = { readonly atStep: number } & (
  | {
      /** The worker dies in the middle of everything, and another one starts in its place. */
      readonly kind: "crash";
      readonly place: WorkerPlace;
      readonly downMs: number;
    }
  | {
      /** The worker stops as it should, and another one starts in its place. */
      readonly kind: "restart";
      readonly place: WorkerPlace;
      readonly downMs: number;
    }
  | {
      /** The worker and the others take each other for dead, so both hold the same partitions. */
      readonly kind: "isolate";
      readonly place: WorkerPlace;
      readonly forMs: number;
    }
  | {
      /** The worker that takes a partition finds no floor, and reads everything again. */
      readonly kind: "lose-floors";
      readonly forMs: number;
    }
  | {
      /** A commit of the worker goes wrong; see `CommitMishap`. */
      readonly kind: "commit";
      readonly place: WorkerPlace;
      readonly mishap: CommitMishap;
      readonly lateMs: number;
    }
  | {
      /** The worker is replaced by one with code that is so many versions older, for a while. */
      readonly kind: "deploy";
      readonly place: WorkerPlace;
      readonly versions: number;
      readonly forMs: number;
    }
  | { readonly kind: "lose-replies"; readonly place: WorkerPlace; readonly count: number }
  | {
      /** All connections are cut off the log; see `PauseOptions` of the memory broker. */
      readonly kind: "pause";
      readonly calls: "wait" | "fail";
      readonly forMs: number;
    }
  | {
      /** Reads of the worker may be answered by a replica that stores nothing new meanwhile. */
      readonly kind: "stale";
      readonly place: WorkerPlace;
      readonly forMs: number;
    }
  | {
      /** A number of the worker's next reads, or saves, go wrong, each by itself. */
      readonly kind: "calls";
      readonly place: WorkerPlace;
      readonly which: FailingCalls;
      readonly count: number;
    }
  | {
      /** The worker alone does not reach the log; the others hear it, and it hears them. */
      readonly kind: "cut-off";
      readonly place: WorkerPlace;
      readonly calls: "wait" | "fail";
      readonly forMs: number;
    }
  | {
      /** The worker's process stands still; then everything is late. */
      readonly kind: "suspend";
      readonly place: WorkerPlace;
      readonly forMs: number;
    }
  | {
      /** The worker's clock is set: forward, or back. */
      readonly kind: "clock";
      readonly place: WorkerPlace;
      readonly byMs: number;
    }
  | {
      /**
       * The log loses what it stored last, as after a power failure or when a backup is restored;
       * or everything, and is another log then. Data beside it stays.
       */
      readonly kind: "lose-tail";
      readonly entries: number;
      readonly anew: boolean;
    }
  | {
      /** Some of what travels takes this much longer. */
      readonly kind: "slow";
      readonly delayMs: number;
      readonly forMs: number;
    }
);

/**
 * `lost-ack`: stored, and the worker is told nothing. `unavailable`: not stored, and the worker is
 * told nothing. `late`: the worker is told nothing, and only later it is stored. `conflict`: the
 * worker is told that somebody else was first.
 */
export type CommitMishap = "lost-ack" | "unavailable" | "late" | "conflict";

/**
 * `reads`: no answer. `saves`: no answer to what saves floors, snapshots, cells and manifests, and
 * buries unroutable messages; half of these are stored.
 */
export type FailingCalls = "reads" | "saves";

export type FaultKind = Fault["kind"];

/** A line for people. */
export function describeFault({ atStep, kind, ...details }: Fault): string {
  const words = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  return `step ${atStep}: ${kind}${words.length > 0 ? ` (${words.join(", ")})` : ""}`;
}
