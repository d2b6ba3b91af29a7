/**
 * An agent definition made ready to run: the fold, the handlers, the emit functions. One per hosted
 * type.
 */
import type { AgentDefinition, MessageDefinition } from "../agent/agent-definition.ts";
import { deepFreeze } from "../agent/deep-freeze.ts";
import { FoldError } from "../errors/message-errors.ts";
import type { Manifest } from "../log/manifest.ts";
import type { RecordedEvent } from "../turn/turn-record.ts";
import { asStored } from "../wire/payload.ts";
import { validate } from "../schema/schema.ts";
import type { Emit } from "../turn/context.ts";

/** Receives what a handler emits. */
export interface EventSink {
  event(event: RecordedEvent): void;
}

export interface AgentRuntime {
  readonly type: string;
  readonly definition: AgentDefinition;
  /**
   * The state after one more event (I8), frozen, because only events may change it. @throws
   * FoldError
   */
  fold(state: unknown, event: RecordedEvent, agentName: string): unknown;
  handlerOf(name: string, topic: boolean): MessageDefinition | undefined;
  /** The `ctx.emit` object for one turn. */
  emitTo(sink: EventSink): Emit<Record<string, unknown>>;
}

export function agentRuntime(definition: AgentDefinition): AgentRuntime {
  const { events, messages, subscriptions, type } = definition;
  return {
    type,
    definition,
    fold(state, event, agentName) {
      if (!Object.hasOwn(events, event.type)) throw unknownEvent(agentName, event.type);
      try {
        return deepFreeze(events[event.type]?.fold(state, event.data));
      } catch (cause) {
        throw foldFailed(agentName, event.type, cause);
      }
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

/** Where an emit object keeps its turn; a symbol, so that no event name can collide with it. */
const sinkOf = Symbol("sink");

/**
 * Builds the emit functions once per agent type, on a prototype, so that a turn allocates one small
 * object.
 */
function emitFactory(
  definition: AgentDefinition,
): (sink: EventSink) => Emit<Record<string, unknown>> {
  const prototype: object = {};
  for (const [name, { schema }] of Object.entries(definition.events)) {
    const what = `Event ${definition.type}.${name}`;
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: { readonly [sinkOf]: EventSink }): (data: unknown) => void {
        const sink = this[sinkOf];
        return (data) => {
          const valid = validate(schema, data, what);
          if (valid instanceof Promise) throw asynchronousEvent(definition.type, name);
          // Folded as it is stored, so that replay comes to the same state (I8).
          sink.event({ type: name, data: asStored(valid) });
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

function asynchronousEvent(type: string, event: string): FoldError {
  return new FoldError(
    `Event ${type}.${event} has an asynchronous schema; an event is folded at once, so its schema must be synchronous.`,
    { details: { type, event } },
  );
}

function unknownEvent(agentName: string, event: string): FoldError {
  return new FoldError(
    `The journal of ${agentName} holds the event ${event}, which its agent type does not declare: add .event("${event}", …).`,
    { details: { agent: agentName, event } },
  );
}

function foldFailed(agentName: string, event: string, cause: unknown): FoldError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FoldError(`The fold of ${agentName} threw on the event ${event}: ${why}.`, {
    details: { agent: agentName, event },
    cause,
  });
}
