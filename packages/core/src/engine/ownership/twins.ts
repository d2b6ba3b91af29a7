/**
 * Two workers of one id in one namespace, in different processes. Each would take the other's
 * announcements for its own, so both would hold everything. The second one does not start; where
 * both run already, because they could not hear each other before, both say so.
 *
 * A worker that is about to stop is no twin: the next one of its id may start meanwhile.
 */
import { WorkerIdTakenError } from "../../errors/definition-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Presence } from "../../log/presence.ts";

export interface TwinsHost {
  readonly feed: InspectionFeed;
  readonly worker: string;
  readonly session: string;
}

export class Twins {
  readonly #host: TwinsHost;
  /** Sessions that were told. */
  readonly #told = new Set<string>();
  #first: Presence | undefined;

  constructor(host: TwinsHost) {
    this.#host = host;
  }

  /**
   * Another one of our id was heard. Returns whether to answer, so that it hears of us.
   *
   * @param running whether we have started
   */
  met(twin: Presence, running: boolean): boolean {
    const { feed, session, worker } = this.#host;
    const theirs = twin.session ?? "";
    if (twin.draining === true) return false;
    if (!running) {
      // Of two that start at once, one goes on.
      if (twin.joining !== true || theirs < session) this.#first = twin;
      return false;
    }
    // It hears of us and does not start.
    if (twin.joining === true) return true;
    if (this.#told.has(theirs)) return false;
    this.#told.add(theirs);
    feed.emit({ kind: "fault", what: "hearing workers", failure: errorData(taken(worker)) });
    return true;
  }

  /** @throws WorkerIdTakenError */
  requireNone(): void {
    if (this.#first !== undefined) throw taken(this.#host.worker);
  }
}

function taken(worker: string): WorkerIdTakenError {
  return new WorkerIdTakenError(
    `Another worker of the id ${worker} is alive in this namespace: give each its own id, or leave \`id\` out.`,
    { details: { worker } },
  );
}
