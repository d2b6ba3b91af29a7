/**
 * Tells once that the clock of this process and the log's differ by much. Nothing is decided by the
 * process's clock, but people compare what it says: times in records, log lines, `ctx.now()`.
 */
import type { Clock } from "../../clock/clock.ts";
import { ClockDiffersError } from "../../errors/log-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Log } from "../../log/log.ts";

/** A difference beyond this is more than any answer takes, and is told. */
const toleratedMs = 5000;

export interface ClockWatchHost {
  readonly log: Pick<Log, "nowMs">;
  readonly clock: Pick<Clock, "now">;
  readonly feed: InspectionFeed;
}

export class ClockWatch {
  readonly #host: ClockWatchHost;
  /** Told again only after they agreed. */
  #told = false;

  constructor(host: ClockWatchHost) {
    this.#host = host;
  }

  look(): void {
    const { clock, feed, log } = this.#host;
    const aheadMs = Math.round(clock.now() - log.nowMs());
    const differs = Math.abs(aheadMs) > toleratedMs;
    if (differs && !this.#told) {
      const way = aheadMs > 0 ? "ahead of" : "behind";
      const failure = new ClockDiffersError(
        `The clock of this process is ${Math.round(Math.abs(aheadMs) / 1000)} s ${way} the log's: set one of them (NTP). ` +
          `Deadlines and timers go by the log's clock; the times in records and ctx.now() by this one.`,
        { details: { aheadMs } },
      );
      feed.emit({ kind: "fault", what: "comparing clocks", failure: errorData(failure) });
    }
    this.#told = differs;
  }
}
