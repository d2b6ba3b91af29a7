/**
 * Saves how far each held partition is handled, so that a successor need not read everything again.
 * A floor that is too low costs time only: what it repeats is recognised from the journal (I4).
 */
import type { Clock } from "../clock/clock.ts";
import { errorData } from "../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Floor, Log } from "../log/log.ts";

export class FloorKeeper {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #feed: InspectionFeed;
  readonly #intervalMs: number;
  readonly #current: () => readonly Floor[];
  readonly #saved = new Map<string, string>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    host: { readonly log: Log; readonly clock: Clock; readonly feed: InspectionFeed },
    intervalMs: number,
    current: () => readonly Floor[],
  ) {
    this.#log = host.log;
    this.#clock = host.clock;
    this.#feed = host.feed;
    this.#intervalMs = intervalMs;
    this.#current = current;
  }

  start(): void {
    this.#cancel = this.#clock.after(this.#intervalMs, () => {
      void this.save(this.#current()).then(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Save the floors that changed. A failure is only reported: the next interval tries again. */
  async save(floors: readonly Floor[]): Promise<void> {
    const changed = floors.filter((floor) => this.#saved.get(nameOf(floor)) !== valueOf(floor));
    if (changed.length === 0) return;
    try {
      await this.#log.saveFloors(changed);
      for (const floor of changed) this.#saved.set(nameOf(floor), valueOf(floor));
    } catch (thrown) {
      this.#feed.emit({ kind: "fault", what: "saving floors", failure: errorData(thrown) });
    }
  }
}

function valueOf({ holder, position, suspected = false }: Floor): string {
  return `${position} ${holder?.session ?? "released"} ${suspected}`;
}

function nameOf({ type, partition }: Floor): string {
  return `${type}/${partition}`;
}
