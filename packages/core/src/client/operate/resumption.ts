/**
 * The outcome of a message that resumes an agent, as the journal tells it: the agent is resumed,
 * or parked again because a message failed again.
 *
 * What is in the journal already is read first, then the log is followed from the resuming message
 * on; so nothing is missed that happens in between.
 */
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { JournalEntry } from "../../log/log.ts";
import type { Troupe } from "../troupe.ts";
import { readableRecord, type ParkedAgent } from "./parked-agent.ts";

export interface Resumption {
  /** The agent as it was parked when the resuming message was sent. */
  readonly parked: ParkedAgent;
  /** Position of the resuming message. */
  readonly marker: Position;
}

export interface ResumptionOutcome {
  readonly isResumed: boolean;
  /** The record that says so. */
  readonly revision: Position;
  /** Turns that were handled on the way. */
  readonly turns: number;
  /** Set when it is parked again: by which message, and why. */
  readonly inputPosition: Position;
  readonly failure: ErrorData | undefined;
}

/**
 * Waits for what becomes of a resuming message; undefined when the signal fires first. @throws
 * LogUnavailableError
 *
 * @example
 * ```ts
 * const parked = await parkedAgent(troupe.log, { type: "account", key: "alice" });
 * if (parked !== undefined) {
 *   const { position: marker } = await troupe.log.accept(resumeDraft(parked.agent));
 *   const signal = AbortSignal.timeout(30_000);
 *   console.log((await resumptionOutcome(troupe, { parked, marker }, signal))?.isResumed);
 * }
 * ```
 */
export async function resumptionOutcome(
  troupe: Pick<Troupe, "follow" | "log">,
  { parked, marker }: Resumption,
  signal: AbortSignal,
): Promise<ResumptionOutcome | undefined> {
  const { agent } = parked;
  const journal = new ResumedJournal({ parked, marker });
  for (;;) {
    const entries = await troupe.log.journal(agent, journal.last, { firm: true });
    if (entries.length === 0) break;
    for (const entry of entries) {
      const outcome = journal.take(entry);
      if (outcome !== undefined) return outcome;
    }
  }
  const request = { from: marker, types: [agent.type], kinds: ["turn"], signal } as const;
  for await (const entry of troupe.follow(request)) {
    if (entry.kind !== "turn" || agentName(entry.agent) !== agentName(agent)) continue;
    const outcome = journal.take(entry.entry);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** The records after the parking, each taken once. */
class ResumedJournal {
  readonly #marker: Position;
  #turns = 0;
  last: Position;

  constructor({ parked, marker }: Resumption) {
    this.#marker = marker;
    this.last = parked.revision;
  }

  /** The outcome, when this record tells it. */
  take({ record, revision }: JournalEntry): ResumptionOutcome | undefined {
    if (revision <= this.last) return undefined;
    this.last = revision;
    const decoded = readableRecord(record);
    if (decoded?.kind === "turn") this.#turns += 1;
    if (decoded?.kind !== "park") return undefined;
    const { failure, inputPosition, parked } = decoded.park;
    // It was parked again for somebody else's resuming message; ours is still to come.
    if (parked && revision < this.#marker) return undefined;
    return { isResumed: !parked, revision, turns: this.#turns, inputPosition, failure };
  }
}
