/** Events that are given, made to be the journal of an agent. */
import type { AgentDefinition } from "@troupe/core/engine";
import { recordedEvent, validate, encodeRecord, stored, agentRuntime } from "@troupe/core/engine";
import { DefinitionError } from "@troupe/core/errors";
import type { AgentId, Position, Log } from "@troupe/core/log";
import type { RecordedEvent } from "@troupe/core/operate";

export interface GivenEvent {
  readonly type: PropertyKey;
  readonly data: unknown;
  /** Absent means the declared one. */
  readonly version?: number;
}

export interface GivenHistory {
  readonly definition: AgentDefinition;
  readonly key: string;
  readonly events: readonly GivenEvent[];
}

/**
 * The events as the journal would have them. @throws DefinitionError, SchemaError, and what a fold
 * throws, when they are not a history of this agent
 */
export function historyOf({ definition, events, key }: GivenHistory): readonly RecordedEvent[] {
  const runtime = agentRuntime(definition);
  const recorded = events.map(({ data, type, version }): RecordedEvent => {
    const name = String(type);
    const declared = Object.hasOwn(definition.events, name) ? definition.events[name] : undefined;
    if (declared === undefined) {
      throw new DefinitionError(`Agent ${definition.type} declares no event ${name}.`, {
        details: { type: definition.type, event: name },
      });
    }
    if (version !== undefined && version !== declared.version) {
      return recordedEvent(name, stored(data, `Event ${definition.type}.${name}`), version);
    }
    const valid = validate(declared.schema, data, `Event ${definition.type}.${name}`);
    return recordedEvent(name, stored(valid, `Event ${definition.type}.${name}`), declared.version);
  });
  let state = definition.initialState;
  const place = { agent: { type: definition.type, key }, position: 0 };
  for (const event of recorded) state = runtime.fold(state, event, place);
  return recorded;
}

/** Commits a turn that emitted all of them. Returns the journal's new revision. */
export async function commitEvents(
  log: Log,
  id: AgentId,
  events: readonly RecordedEvent[],
  expectedRevision: Position,
): Promise<Position> {
  if (events.length === 0) return expectedRevision;
  const record = encodeRecord({
    turn: 1,
    inputPosition: 0,
    messageId: "given",
    message: "given",
    events,
    sent: [],
    log: "",
    receivedAtMs: 0,
    attempts: 1,
    traceparent: "",
    worker: "given",
    version: "given",
    acceptedAtMs: 0,
    startedAtMs: 0,
    tookMs: 0,
  });
  const turn = { agent: id, expectedRevision, record, outgoing: [] };
  const [revision = expectedRevision] = await log.commit([turn]);
  return revision;
}
