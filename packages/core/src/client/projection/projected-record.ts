/** A journal record as a projection sees it: the events it has a handler for. */
import { thrownText } from "../../errors/thrown.ts";
import { upToDate } from "../../definition/event-version.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log, LogEntry } from "../../log/log.ts";
import { shardOfKey } from "../../log/shard.ts";
import { TroupeError } from "../../errors/troupe-error.ts";
import { NewerEventError } from "../../errors/event-errors.ts";
import { PoisonEventError } from "../../errors/projection-errors.ts";
import { openRecord } from "../../engine/personal/open-records.ts";
import { decodedAndSealed } from "../../engine/personal/opening.ts";
import type { JournalRecord } from "../../journal/journal-record.ts";
import { decodeJournalRecord } from "../../journal/journal-record.ts";
import type { BaseRecord } from "../../journal/base-record.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import type { EventInfo, ProjectedSource, ProjectionDefinition } from "./projection.ts";
import { erasedEvent } from "./projection.ts";
import { handedOut, stored } from "../../wire/storable.ts";

/** An event with its handler. */
interface ProjectedEvent {
  readonly recorded: RecordedEvent;
  readonly source: ProjectedSource;
}

export interface ProjectedRecord {
  readonly agent: AgentId;
  readonly shard: number;
  readonly position: Position;
  readonly atMs: number;
  readonly bytes: number;
  /** The number of the turn, where it is one. */
  readonly turn?: number | undefined;
  /** Set for a base record. */
  readonly base?: BaseRecord | undefined;
  /** Undefined when the record cannot be read; `fault` says why. */
  readonly events: readonly ProjectedEvent[] | undefined;
  readonly fault?: unknown;
}

/** Places of events that are left out: `position:index`. */
export type SkippedEvents = ReadonlySet<string>;

/** A poison event and where it is. */
export class PoisonFound extends Error {
  readonly error: PoisonEventError;
  readonly record: ProjectedRecord;
  readonly place: string;

  constructor(error: PoisonEventError, record: ProjectedRecord, place: string) {
    super(error.message, { cause: error.cause });
    this.error = error;
    this.record = record;
    this.place = place;
  }
}

/**
 * The record of a followed turn; a promise of it when the key store has to be asked.
 * @throws KeysUnavailableError, MissingKeyError: the record is to be read again
 */
export function projectedRecord(
  log: Log,
  { sources }: ProjectionDefinition,
  { agent, entry }: LogEntry & { readonly kind: "turn" },
): ProjectedRecord | Promise<ProjectedRecord> {
  const { revision: position, committedAtMs: atMs, record } = entry;
  const shard = shardOfKey(log, agent.key);
  const place = { agent, shard, position, atMs, bytes: record.byteLength };
  const handlers = sources[agent.type] ?? {};
  const faulty = (fault: unknown): ProjectedRecord => ({ ...place, events: undefined, fault });
  const readable = (decoded: JournalRecord): ProjectedRecord => {
    const events = eventsIn(decoded).flatMap((recorded) => {
      const source = Object.hasOwn(handlers, recorded.type) ? handlers[recorded.type] : undefined;
      return source === undefined ? [] : [{ recorded, source }];
    });
    const turns = decoded.kind === "turn" ? decoded.turn.turn : undefined;
    return {
      ...place,
      events,
      turn: turns,
      base: decoded.kind === "base" ? decoded.base : undefined,
    };
  };
  try {
    const { sealed, value } = decodedAndSealed(() => decodeJournalRecord(record));
    if (!sealed) return readable(value);
    return openRecord(log, value).then(readable, (thrown: unknown) => {
      if (thrown instanceof TroupeError && thrown.retryable) throw thrown;
      return faulty(thrown);
    });
  } catch (fault) {
    return faulty(fault);
  }
}

/** Events of a record. */
function eventsIn(record: JournalRecord): readonly RecordedEvent[] {
  if (record.kind === "turn") return record.turn.events;
  return record.kind === "tombstone" ? [{ type: erasedEvent, data: undefined }] : [];
}

/**
 * Runs the handlers of the records' events, one after the other; returns how many ran.
 *
 * @throws PoisonFound at the first event whose handler throws, and at an unreadable record
 */
export async function applyRecords(
  projection: ProjectionDefinition,
  records: readonly ProjectedRecord[],
  { handle, skipped }: { readonly handle: unknown; readonly skipped: SkippedEvents },
): Promise<number> {
  let applied = 0;
  for (const record of records) {
    const { agent, position, atMs, events, fault } = record;
    if (events === undefined) {
      const place = `${position}:record`;
      if (skipped.has(place)) continue;
      throw new PoisonFound(poison(projection, record, { cause: fault }), record, place);
    }
    for (const [index, { recorded, source }] of events.entries()) {
      const place = `${position}:${index}`;
      if (skipped.has(place)) continue;
      const info: EventInfo = { agent, position, atMs };
      try {
        // A copy: changes by a handler are not in the event when its transaction runs again.
        const data = upToDate(source.event, recorded, info);
        await source.handler(handle, handedOut(stored(data, "The event")), info);
      } catch (cause) {
        const error = poison(projection, record, { event: recorded.type, cause });
        throw new PoisonFound(error, record, place);
      }
      applied += 1;
    }
  }
  return applied;
}

function poison(
  { name }: ProjectionDefinition,
  { agent, position }: ProjectedRecord,
  { event, cause }: { readonly event?: string; readonly cause: unknown },
): PoisonEventError {
  const why = thrownText(cause).replace(/\.$/, "");
  const what =
    event === undefined ? "cannot read the record" : `could not handle the event ${event}`;
  return new PoisonEventError(
    `Projection ${name} ${what} of ${agentName(agent)} at position ${position}: ${why}. ` +
      (cause instanceof NewerEventError
        ? "Run the newer code instead."
        : "Correct the handler and start again, or run with the policy to skip such events."),
    { details: { projection: name, agent: agentName(agent), position, event }, cause },
  );
}
