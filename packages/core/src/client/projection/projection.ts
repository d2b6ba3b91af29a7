/**
 * Declaring a projection: which events of which agents change a read model, and how.
 *
 * Like an agent, a projection is a chain of frozen definitions in which everything is inferred: the
 * handle from the read model, the event from the agent.
 */
import type { Agent } from "../../definition/agent.ts";
import type { AgentDefinition } from "../../definition/agent-definition.ts";
import type { EventDefinition } from "../../definition/event-version.ts";
import { requireVersion } from "../../definition/event-version.ts";
import { requireName } from "../../definition/name.ts";
import type { StoredEvent } from "../../definition/stored-event.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Schema } from "../../definition/schema.ts";
import type { HandleOf, ReadModel } from "./read-model.ts";

/** Facts about the event being projected. */
export interface EventInfo {
  readonly agent: AgentId;
  /** Position of the turn that emitted it. */
  readonly position: Position;
  /** Time at which that turn was committed, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** A handler without its types. */
export type EventHandler = (handle: unknown, event: unknown, info: EventInfo) => unknown;

/** A handler, and the event that it gets in the version declared there. */
export interface ProjectedSource {
  readonly event: EventDefinition;
  readonly handler: EventHandler;
}

/** A projection as plain frozen data: the runner, the sinks and tools read only this. */
export interface ProjectionDefinition {
  readonly kind: "projection";
  readonly name: string;
  /** Grows when the model's shape or a handler changes: the model is then built from zero. */
  readonly version: number;
  readonly model: ReadModel;
  /** Handlers by agent type, then by event. */
  readonly sources: Readonly<Record<string, Readonly<Record<string, ProjectedSource>>>>;
}

export interface ProjectionOptions {
  /**
   * Version of the model and the handlers, a whole number from 1. Raise it when either changes, or
   * when the projection hears of more events: the model is then built from zero. @default 1
   */
  readonly version?: number;
}

export interface Projection<Model extends ReadModel> extends ProjectionDefinition {
  readonly model: Model;

  /**
   * An event and what it does to the model. The handler may run again after a failure, but its
   * writes through the handle are kept exactly once. Everything else it does is not, so it should
   * do nothing else.
   *
   * @example
   * ```ts
   * balances.on(account, "withdrawn", (model, { amount }, { agent }) => {
   *   model.set(agent.key, (model.get(agent.key) ?? 0) - amount);
   * });
   * ```
   */
  on<State, Events, Messages, const Name extends keyof Events & string>(
    agent: Agent<State, Events, Messages>,
    event: Name,
    handler: (
      handle: HandleOf<Model>,
      event: StoredEvent<Events, Name>,
      info: EventInfo,
    ) => void | Promise<void>,
  ): Projection<Model>;

  /**
   * Handle the erasure of an agent of this type: remove from the model what it has of that agent.
   * Called in the order of its events, like them.
   *
   * @example
   * ```ts
   * balances.onErased(account, (model, { agent }) => void model.delete(agent.key));
   * ```
   */
  onErased<State, Events, Messages>(
    agent: Agent<State, Events, Messages>,
    handler: (handle: HandleOf<Model>, info: EventInfo) => void | Promise<void>,
  ): Projection<Model>;
}

/**
 * Declare a projection. @param name letters, digits, `-`, `_`. @throws DefinitionError
 *
 * @example
 * ```ts
 * const balances = projection(
 *   "balances",
 *   memoryModel(() => new Map<string, number>()),
 * ).on(account, "deposited", (model, { amount }, { agent }) => {
 *   model.set(agent.key, (model.get(agent.key) ?? 0) + amount);
 * });
 * ```
 */
export function projection<Model extends ReadModel>(
  name: string,
  model: Model,
  { version = 1 }: ProjectionOptions = {},
): Projection<Model> {
  requireName("projection", name);
  requireVersion(`Projection ${name}`, version);
  return build({ kind: "projection", name, version, model, sources: Object.freeze({}) }, model);
}

function build<Model extends ReadModel>(
  definition: ProjectionDefinition,
  model: Model,
): Projection<Model> {
  const chain: Projection<Model> = {
    ...definition,
    model,
    on: (agent, event, handler) => {
      const declared = requireEvent(definition.name, agent, event);
      const source = { event: declared, handler: handler as EventHandler };
      return build(withSource(definition, agent, event, source), model);
    },
    onErased: (agent, handler) => {
      const told: EventHandler = (handle, _, info) => handler(handle as HandleOf<Model>, info);
      const source = { event: erasedDefinition, handler: told };
      return build(withSource(definition, agent, erasedEvent, source), model);
    },
  };
  return Object.freeze(chain);
}

/** Stands for an erasure among the events of an agent; no event can have this name. */
export const erasedEvent = "~erased";

const anything: Schema = {
  "~standard": { version: 1, vendor: "troupe", validate: (value) => ({ value }) },
};
const erasedDefinition: EventDefinition = Object.freeze({
  schema: anything,
  version: 1,
  upcast: Object.freeze({}),
  fold: (state: unknown) => state,
});

/** @throws DefinitionError */
function withSource(
  definition: ProjectionDefinition,
  { type }: Pick<AgentDefinition, "type">,
  event: string,
  source: ProjectedSource,
): ProjectionDefinition {
  const { name, sources } = definition;
  const ofAgent = Object.hasOwn(sources, type) ? sources[type] : undefined;
  if (ofAgent !== undefined && Object.hasOwn(ofAgent, event)) {
    throw new DefinitionError(`Projection ${name} handles ${type}.${event} twice.`, {
      details: { projection: name, type, event },
    });
  }
  const handlers = Object.freeze({ ...ofAgent, [event]: Object.freeze(source) });
  return { ...definition, sources: Object.freeze({ ...sources, [type]: handlers }) };
}

function requireEvent(
  name: string,
  agent: Pick<AgentDefinition, "events" | "type">,
  event: string,
): EventDefinition {
  const declared = Object.hasOwn(agent.events, event) ? agent.events[event] : undefined;
  if (declared !== undefined) return declared;
  throw new DefinitionError(
    `Projection ${name}: the agent type ${agent.type} declares no event ${event}.`,
    { details: { projection: name, type: agent.type, event } },
  );
}
