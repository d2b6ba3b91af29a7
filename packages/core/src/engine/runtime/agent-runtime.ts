/**
 * An agent definition made ready to run: the fold, the handlers, the emit functions. One per hosted
 * type.
 */
import { thrownText } from "../../errors/thrown.ts";
import type { AgentDefinition, MessageDefinition } from "../../definition/agent-definition.ts";
import type { EventDefinition } from "../../definition/event-version.ts";
import type { EventPlace } from "../../definition/event-version.ts";
import {
  eventAt,
  eventIds,
  foldVersion,
  recordedEvent,
  upToDate,
} from "../../definition/event-version.ts";
import { FoldError, UnknownEventError } from "../../errors/event-errors.ts";
import type { Manifest } from "../../log/manifest.ts";
import { HandlerPaces } from "./handler-paces.ts";
import { declaresPersonal } from "../personal/sealing.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import { encodedBytes } from "../../wire/payload.ts";
import { handedOut, stored } from "../../wire/storable.ts";
import { ignore, isThenable } from "../../wire/thenable.ts";
import { validate } from "../../definition/schema.ts";
import type { Emit } from "../../definition/context.ts";

/** Receives what a handler emits. */
export interface EventSink {
  /** @param bytes of its data as it is stored */
  event(event: RecordedEvent, bytes: number): void;
}

export interface AgentRuntime {
  readonly type: string;
  readonly definition: AgentDefinition;
  /** Whether it declares anything personal. */
  readonly personal: boolean;
  /** Whether its handlers were seen to return at once, or to wait. */
  readonly paces: HandlerPaces;
  /** Topics that it subscribes to. */
  readonly topics: readonly string[];
  /**
   * Versions that its states are folded with: that of the state, and those of the declared events.
   */
  readonly foldVersion: string;
  /**
   * A recorded event as it is declared today. @throws UnknownEventError, NewerEventError,
   * MissingUpcasterError, UpcastError
   */
  upToDate(event: RecordedEvent, place: EventPlace): RecordedEvent;
  /** An event of today as it is recorded. @throws UnknownEventError */
  recorded(type: string, data: unknown, place: EventPlace): RecordedEvent;
  /**
   * The state after one more event (I8), in stored form, so that a snapshot is the same (I12).
   * @throws FoldError, NotStorableError, and what `upToDate` throws
   */
  fold(state: unknown, event: RecordedEvent, place: EventPlace): unknown;
  handlerOf(name: string, topic: boolean): MessageDefinition | undefined;
  /** The `ctx.emit` object for one turn. */
  emitTo(sink: EventSink): Emit<Record<string, unknown>>;
}

export function agentRuntime(definition: AgentDefinition): AgentRuntime {
  const { events, messages, subscriptions, type } = definition;
  const declared = (event: string, place: EventPlace): EventDefinition => {
    const found = Object.hasOwn(events, event) ? events[event] : undefined;
    if (found === undefined) throw unknownEvent(event, place);
    return found;
  };
  return {
    type,
    definition,
    personal: declaresPersonal(definition),
    paces: new HandlerPaces(),
    topics: Object.keys(subscriptions),
    foldVersion: foldVersion(definition),
    upToDate(event, place) {
      const found = declared(event.type, place);
      return recordedEvent(event.type, upToDate(found, event, place), found.version);
    },
    recorded(name, data, place) {
      return recordedEvent(name, data, declared(name, place).version);
    },
    fold(state, event, place) {
      const found = declared(event.type, place);
      const data = upToDate(found, event, place);
      let next: unknown;
      try {
        next = found.fold(handedOut(state), handedOut(data));
      } catch (cause) {
        throw foldFailed(event.type, place, cause);
      }
      return stateOf(next, event.type, place);
    },
    handlerOf(name, topic) {
      const table = topic ? subscriptions : messages;
      return Object.hasOwn(table, name) ? table[name] : undefined;
    },
    emitTo: emitFactory(definition),
  };
}

export function manifestOf(definition: AgentDefinition, version: string): Manifest {
  return {
    type: definition.type,
    messages: Object.keys(definition.messages),
    topics: Object.keys(definition.subscriptions),
    events: Object.keys(definition.events),
    version,
  };
}

/**
 * Key under which an emit object keeps its turn; a symbol, so that no event name can collide with
 * it.
 */
const sinkOf = Symbol("sink");

/**
 * Builds the emit functions once per agent type, on a prototype, so that a turn allocates one small
 * object.
 */
function emitFactory(
  definition: AgentDefinition,
): (sink: EventSink) => Emit<Record<string, unknown>> {
  const prototype: object = {};
  for (const [name, { schema, version }] of Object.entries(definition.events)) {
    const what = `Event ${definition.type}.${name}`;
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { readonly [sinkOf]: EventSink }): (data: unknown) => void {
        const sink = this[sinkOf];
        return (data) => {
          const valid = validate(schema, data, what);
          if (isThenable(valid)) throw asynchronousEvent(valid, definition.type, name);
          // Folded as it is stored, so that replay comes to the same state (I8).
          const value = stored(valid, what);
          sink.event(recordedEvent(name, value, version), encodedBytes(value));
        };
      },
    });
  }
  return (sink) => {
    const emit = Object.create(prototype) as Emit<Record<string, unknown>> & {
      [sinkOf]: EventSink;
    };
    emit[sinkOf] = sink;
    return emit;
  };
}

function asynchronousEvent(valid: unknown, type: string, event: string): FoldError {
  ignore(valid);
  return new FoldError(
    `Event ${type}.${event} has an asynchronous schema; an event is folded at once, so its schema must be synchronous.`,
    { details: { type, event } },
  );
}

function unknownEvent(event: string, place: EventPlace): UnknownEventError {
  return new UnknownEventError(
    `The agent type ${place.agent.type} does not declare ${eventAt(event, place)}: update this worker, or add .event("${event}", …).`,
    { details: eventIds(event, place) },
  );
}

/** The state that a fold returned, in stored form. @throws NotStorableError */
function stateOf(next: unknown, event: string, place: EventPlace): unknown {
  try {
    return stored(next, "The state");
  } catch {
    ignore(next);
    return stored(next, `The state after ${eventAt(event, place)}`);
  }
}

function foldFailed(event: string, place: EventPlace, cause: unknown): FoldError {
  const why = thrownText(cause);
  return new FoldError(`The fold threw on ${eventAt(event, place)}: ${why}.`, {
    details: eventIds(event, place),
    cause,
  });
}
