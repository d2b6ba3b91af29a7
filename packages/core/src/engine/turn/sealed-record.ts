/** The record that a finished turn stores, after the interceptors of commit. */
import type { ErrorData } from "../../errors/troupe-error.ts";
import { throughCommitLayers } from "./interceptor.ts";
import { agentName } from "../../definition/message/address.ts";
import { stored } from "../../wire/storable.ts";
import type { InterceptorChanges } from "../../journal/interceptor-changes.ts";
import { changedFields, changesOf } from "../../journal/interceptor-changes.ts";
import { recordOf } from "./record-of-turn.ts";
import type { RecordedStep, StepIdentity } from "../../journal/recorded-step.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import type { OpenTurn } from "./open-turn.ts";

export interface Finished {
  readonly reply: unknown;
  readonly failure: ErrorData | undefined;
  /** Steps that the journal does not have yet. */
  readonly steps: readonly RecordedStep[] | undefined;
  readonly unused: readonly StepIdentity[] | undefined;
  /** Parts that the interceptors of receive replaced. */
  readonly changes: InterceptorChanges | undefined;
}

/**
 * The turn's record. @param refold called with the events when interceptors replaced them: the
 * state is the fold of what is stored, as it is stored (I8). @throws NotStorableError, and what an
 * interceptor throws
 */
export function sealedRecord(
  turn: OpenTurn,
  { changes, ...outcome }: Finished,
  refold: (events: readonly RecordedEvent[]) => void,
): TurnRecord {
  const record = recordOf(turn, { ...outcome, changed: changes && changesOf(changes) });
  const wraps = turn.host.layers.commit;
  if (wraps === undefined) return record;
  // An interceptor may change the record's content, but not the message it answers, by which it is
  // recognised (I4).
  const { inputPosition, log, turn: number } = record;
  const wrapped = { ...throughCommitLayers(wraps, record), inputPosition, log, turn: number };
  let { events } = wrapped;
  if (events !== record.events) {
    events = events.map(({ data, type }) => replaced(turn, type, data));
    refold(events);
  }
  const changed = changesOf({ ...changes, commit: changedFields(record, wrapped) });
  return { ...wrapped, reply: storedReply(turn, wrapped.reply), events, changed };
}

/**
 * The reply as it is recorded and as the asker gets it, whatever is done with the original
 * meanwhile.
 */
export function storedReply({ agent, message }: OpenTurn, reply: unknown): unknown {
  if (reply === undefined || reply === null) return reply;
  return stored(reply, `The reply of ${agentName(agent)} to ${message}`);
}

function replaced(turn: OpenTurn, type: string, data: unknown): RecordedEvent {
  const what = `Event ${turn.agent.type}.${type}`;
  return turn.runtime.recorded(type, stored(data, what), turn.place());
}
