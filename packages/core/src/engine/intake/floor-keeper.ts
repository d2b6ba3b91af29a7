/**
 * Saves how far each held partition is handled, so that a successor need not read everything again.
 * A floor that is too low costs time only: inputs that it repeats are recognised from the journal
 * (I4). One that is too high loses messages; so each is saved with a mark that was found on the log
 * after the floor was reached (I16).
 */
import type { Clock } from "../../clock/clock.ts";
import { LogMadeAnewError, LogWentBackError } from "../../errors/log-errors.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Floor, Log } from "../../log/log.ts";
import type { Mark } from "../../log/log-end.ts";
import { shardOfPartition } from "../../log/shard.ts";
import { floorName } from "../../log/fitting-floors.ts";
import type { LogFooting } from "../../log/log-footing.ts";

export interface FloorHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  readonly footing: LogFooting;
  readonly intervalMs: number;
  /** The floors of this moment. */
  readonly current: () => readonly Floor[];
  /** The log is not the one that the floors are about. */
  readonly onChanged: (error: TroupeError) => void;
}

export class FloorKeeper {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #feed: InspectionFeed;
  readonly #intervalMs: number;
  readonly #current: () => readonly Floor[];
  readonly #footing: LogFooting;
  readonly #onChanged: (error: TroupeError) => void;
  readonly #saved = new Map<string, string>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(host: FloorHost) {
    this.#log = host.log;
    this.#clock = host.clock;
    this.#feed = host.feed;
    this.#intervalMs = host.intervalMs;
    this.#current = host.current;
    this.#footing = host.footing;
    this.#onChanged = host.onChanged;
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

  /** Forget the saved floors: they belong to a log that is gone. */
  forget(): void {
    this.#saved.clear();
  }

  /**
   * Look at the log, and save the floors that changed. A failure is only reported: the next
   * interval tries again.
   */
  async save(floors: readonly Floor[]): Promise<void> {
    try {
      const marks = await this.#footing.marks();
      if (marks === undefined) return;
      const changed = floors.filter(
        (floor) => this.#saved.get(floorName(floor)) !== valueOf(floor),
      );
      if (changed.length === 0) return;
      const { shards } = this.#log;
      const marked = changed.map((floor) => ({ ...floor, mark: markOf(floor, marks, shards) }));
      await this.#log.saveFloors(marked);
      for (const floor of changed) this.#saved.set(floorName(floor), valueOf(floor));
    } catch (thrown) {
      if (thrown instanceof LogWentBackError || thrown instanceof LogMadeAnewError) {
        return this.#onChanged(thrown);
      }
      this.#feed.emit({ kind: "fault", what: "saving floors", failure: errorData(thrown) });
    }
  }
}

/**
 * A mark for the floor; where nothing of its shard was seen, the floor stands on what the log had
 * before it got shards, and any mark will do.
 */
function markOf({ partition }: Floor, marks: readonly Mark[], shards: number): Mark | undefined {
  const mark = marks[shardOfPartition(partition, shards)];
  return mark === undefined || mark.position === 0 ? marks[0] : mark;
}

function valueOf({ holder, position, suspected = false }: Floor): string {
  return `${position} ${holder?.session ?? "released"} ${suspected}`;
}
