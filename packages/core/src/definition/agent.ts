/**
 * Declaring an agent type.
 *
 * `agent("account").state(…).event(…).on(…)` is a chain of frozen definitions: every call returns a
 * new one, so a chain can be shared and extended, and each call sees the types of all calls before
 * it. That order makes the whole definition inferable without one annotation; ARCHITECTURE.md
 * records why this shape was preferred to one object.
 */
import type { BatchContext, BatchFailure, BatchItem } from "./batch-context.ts";
import type { BatchSettings } from "./batch-settings.ts";
import { batchSettings } from "./batch-settings.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import { requireRetryPolicy } from "./retry-policy.ts";
import type { OptionRules } from "./option-rules.ts";
import { defined, requireOptions } from "./option-rules.ts";
import { isHandler, noPayload, type NoPayload } from "./no-payload.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";
import type { Topic, TopicDefinition } from "./topic.ts";
import type { Context } from "./context.ts";
import type { FailureContext } from "./failure-context.ts";
import { stored } from "../wire/storable.ts";
import type {
  AgentDefinition,
  SubscriptionStart,
  FailedHandler,
  Handler,
  MessageDefinition,
  UnreadHandler,
} from "./agent-definition.ts";
import type { EventOptions } from "./event-version.ts";
import type { RetentionOptions } from "./retention-rule.ts";
import { requireRetention } from "./retention-rule.ts";
import type { Migrations } from "./state-migration.ts";
import { requireMigrations } from "./state-migration.ts";
import { eventVersion, requireVersion } from "./event-version.ts";
import { requireMethodName, requireName } from "./name.ts";
import type { StoredAs } from "./stored-event.ts";

/** Types of an agent's events, by name, as `emit` accepts them. */
export type EventTypes = Readonly<Record<string, unknown>>;
/** An empty set of declarations, before anything is declared. */
export type None = {};

export interface StateOptions {
  /**
   * Version of the state's shape and fold, a whole number from 1. Raise it when either changes:
   * snapshots of an older one are then not used, and the state is folded from the journal. A raised
   * version of an event does the same. @default 1
   */
  readonly version?: number;
  /**
   * A function for each earlier version, which lifts a state of that version to the next one.
   * Needed where retention has removed the events that the state was folded from; an agent without
   * one waits then (`missing-migration`). Pure, and returns at once. @default none
   *
   * ```ts
   * .state({ cents: 0 }, { version: 2, migrate: { 1: (state) => ({ cents: v1.parse(state).euros *
   * 100 }) } })
   * ```
   */
  readonly migrate?: Migrations;
}

export interface HandlerOptions<State = never, Events = never, Own = never, Message = never> {
  /**
   * Version of the message's shape, a whole number from 1. Turn records hold it: a reader that
   * replays a turn with a later schema knows which one it was checked with. @default 1
   */
  readonly version?: number;
  /**
   * Number of runs that a message gets, the pauses between them, and the time one may take.
   * @default the worker's policy
   */
  readonly retry?: Partial<RetryPolicy>;
  /**
   * Handler of a message that failed for good. The events that it emits and the messages that it
   * sends commit with the failure and its dead letter; when it throws, none of them does. It must
   * be synchronous, and is not called for a message that its schema refuses or that parks its
   * agent.
   * @default nothing
   */
  readonly onFailed?: (
    context: FailureContext<State, Events, Own>,
    failure: ErrorData,
    message: Message,
  ) => void;
}

export interface SubscriptionOptions {
  /**
   * Beginning of the subscription when the agent type is hosted for the first time: everything that
   * is on the log, or only what is published from then on. A subscription that is added to a type
   * which exists always begins where it is added. @default "beginning"
   */
  readonly from?: SubscriptionStart;
}

export interface BatchHandlerOptions<
  State = never,
  Events = never,
  Own = never,
  Message = never,
> extends HandlerOptions<State, Events, Own, Message> {
  /** Rules by which messages gather for one call. */
  readonly batch?: Partial<BatchSettings>;
}

/** Return value of a batch handler: one reply per message, in their order, or nothing. */
export type BatchReplies = readonly unknown[] | undefined | void;

/** The reply to one message of a batch. */
export type BatchReply<Replies> = Replies extends readonly (infer Reply)[]
  ? Exclude<Reply, BatchFailure>
  : undefined;

/** Messages that a handler can send to its own agent by timer. */
type OwnMessages<Messages, Name extends string, S extends Schema> = Messages & {
  readonly [K in Name]: { readonly input: SchemaInput<S>; readonly reply: unknown };
};

export interface Agent<State, Events, Messages> extends AgentDefinition {
  /** Only for type inference; never present at run time. */
  readonly "~types"?: {
    readonly state: State;
    readonly events: Events;
    readonly messages: Messages;
  };

  /**
   * The state of an agent without history, a storable value (docs/guides/values.md). Call it before
   * `event` and `on`. It is frozen; dates, bytes, Maps and Sets in it are copies in every handler.
   * @throws NotStorableError
   *
   * @example
   * ```ts
   * agent("cart").state({ lines: [] as readonly string[] });
   * ```
   */
  state<NewState>(initial: NewState, options?: StateOptions): Agent<NewState, Events, Messages>;

  /**
   * Bounds what is kept of each agent of this type; everything is, without it. Workers that
   * host the type remove what is beyond it, behind a record that holds the state.
   * @throws DefinitionError
   *
   * @example
   * ```ts
   * agent("order").retention({ turns: 1000, ageMs: 90 * 86_400_000 });
   * agent("job").retention({ after: "ended" }); // until ctx.end()
   * ```
   */
  retention(options: RetentionOptions): Agent<State, Events, Messages>;

  /**
   * An event and what it does to the state. The fold must be pure: it returns the new state and
   * changes nothing. When the data's shape changes, `options` say how what was recorded before is
   * read.
   *
   * @example
   * ```ts
   * agent("cart")
   *   .state({ lines: 0 })
   *   .event("added", z.object({ sku: z.string() }), ({ lines }) => ({ lines: lines + 1 }));
   * ```
   */
  event<const Name extends string, S extends Schema>(
    name: Name,
    schema: S,
    fold: (state: Readonly<State>, event: SchemaOutput<S>) => State,
    options?: EventOptions,
  ): Agent<
    State,
    Events & { readonly [K in Name]: SchemaInput<S> } & StoredAs<{
        readonly [K in Name]: SchemaOutput<S>;
      }>,
    Messages
  >;

  /**
   * A message and its handler. The handler's return value is the reply.
   *
   * @example
   * ```ts
   * agent("greeter").on(
   *   "greet",
   *   z.object({ name: z.string() }),
   *   (_ctx, { name }) => `Hello, ${name}`,
   * );
   * ```
   */
  on<const Name extends string, S extends Schema, Reply>(
    name: Name,
    schema: S,
    handler: (
      context: Context<State, Events, OwnMessages<Messages, Name, S>>,
      message: SchemaOutput<S>,
    ) => Reply,
    options?: HandlerOptions<State, Events, OwnMessages<Messages, Name, S>, SchemaOutput<S>>,
  ): Agent<
    State,
    Events,
    Messages & {
      readonly [K in Name]: { readonly input: SchemaInput<S>; readonly reply: Awaited<Reply> };
    }
  >;

  /**
   * A message without payload and its handler. Clients call it without an argument.
   *
   * ```ts
   * const clock = agent("clock").on("tick", (ctx) => ctx.now());
   * await troupe.agent(clock, "main").tick();
   * ```
   */
  on<const Name extends string, Reply>(
    name: Name,
    handler: (context: Context<State, Events, OwnMessages<Messages, Name, NoPayload>>) => Reply,
    options?: HandlerOptions<State, Events, OwnMessages<Messages, Name, NoPayload>, undefined>,
  ): Agent<
    State,
    Events,
    Messages & {
      readonly [K in Name]: { readonly input: void; readonly reply: Awaited<Reply> };
    }
  >;

  /**
   * A message whose handler gets many at once: of all agents of this type, or of one
   * (`batch.by`). Each message stays a turn of its own agent, with its own reply, failure and
   * retries. It returns one reply per message, in their order, or nothing.
   *
   * @example
   * ```ts
   * agent("text").onBatch("embed", z.object({ text: z.string() }), async (ctx, batch) => {
   *   const vectors = await ctx.step("embed", batch, (items) =>
   *     model.embed(items.map(({ data }) => data.text)),
   *   );
   *   return vectors; // one reply per message
   * });
   * ```
   */
  onBatch<const Name extends string, S extends Schema, Replies extends BatchReplies>(
    name: Name,
    schema: S,
    handler: (
      context: BatchContext,
      batch: readonly BatchItem<State, Events, OwnMessages<Messages, Name, S>, SchemaOutput<S>>[],
    ) => Replies | Promise<Replies>,
    options?: BatchHandlerOptions<State, Events, OwnMessages<Messages, Name, S>, SchemaOutput<S>>,
  ): Agent<
    State,
    Events,
    Messages & {
      readonly [K in Name]: { readonly input: SchemaInput<S>; readonly reply: BatchReply<Replies> };
    }
  >;

  /**
   * Handle what is published on a topic, in the agent whose key is the publication's source.
   *
   * @example
   * ```ts
   * agent("conversation").subscribe(inquiries, async (ctx, { text }) => {
   *   ctx.log.info("somebody wrote", { text });
   * });
   * ```
   */
  subscribe<Input, Output>(
    topic: Topic<Input, Output>,
    handler: (context: Context<State, Events, Messages>, event: Output) => void | Promise<void>,
    options?: HandlerOptions<State, Events, Messages, Output> & SubscriptionOptions,
  ): Agent<State, Events, Messages>;

  /**
   * Handle what is published on a topic, many at once, as `onBatch` does.
   *
   * @example
   * ```ts
   * agent("conversation").subscribeBatch(inquiries, async (ctx, batch) => {
   *   await ctx.step("embed", batch, (items) =>
   *     model.embed(items.map(({ data }) => data.text)),
   *   );
   * });
   * ```
   */
  subscribeBatch<Input, Output>(
    topic: Topic<Input, Output>,
    handler: (
      context: BatchContext,
      batch: readonly BatchItem<State, Events, Messages, Output>[],
    ) => BatchReplies | Promise<BatchReplies>,
    options?: BatchHandlerOptions<State, Events, Messages, Output> & SubscriptionOptions,
  ): Agent<State, Events, Messages>;
}

/**
 * Declare an agent type. @param type one subject token: letters, digits, `-`, `_`. @throws
 * DefinitionError
 *
 * @example
 * ```ts
 * const counter = agent("counter")
 *   .state({ count: 0 })
 *   .event("counted", z.object({ by: z.number() }), (state, { by }) => ({
 *     count: state.count + by,
 *   }))
 *   .on("count", z.object({ by: z.number() }), (ctx, { by }) => {
 *     ctx.emit.counted({ by });
 *     return ctx.state.count;
 *   });
 * ```
 */
export function agent(type: string): Agent<None, None, None> {
  requireName("agent type", type);
  return build({
    kind: "agent",
    type,
    initialState: Object.freeze({}),
    stateVersion: 1,
    events: {},
    messages: {},
    subscriptions: {},
  });
}

function build<State, Events, Messages>(
  definition: AgentDefinition,
): Agent<State, Events, Messages> {
  const chain: Agent<State, Events, Messages> = {
    ...definition,
    state: (initial, options = {}) => {
      const optionRules = { version: "other", migrate: "other" } as const;
      requireOptions(`State of the agent ${definition.type}: `, options, optionRules);
      const { migrate = {}, version = 1 } = options;
      if (Object.keys(definition.events).length > 0 || hasHandlers(definition)) {
        throw new DefinitionError(
          `Agent ${definition.type}: call state() before event(), on() and subscribe().`,
          { details: { type: definition.type } },
        );
      }
      requireVersion(`State of the agent ${definition.type}`, version);
      const what = `The initial state of the agent ${definition.type}`;
      const initialState = stored(initial, what);
      const migrations = requireMigrations(
        `State of the agent ${definition.type}`,
        version,
        migrate,
      );
      return build({ ...definition, initialState, stateVersion: version, migrate: migrations });
    },
    retention: (options) => {
      if (definition.keeps !== undefined) {
        throw new DefinitionError(`Agent ${definition.type} declares its retention twice.`, {
          details: { type: definition.type },
        });
      }
      return build({ ...definition, keeps: requireRetention(definition.type, options) });
    },
    event: (name, schema, fold, options) =>
      build({
        ...definition,
        events: add(definition, definition.events, "event", name, {
          schema,
          fold: fold as (state: unknown, event: unknown) => unknown,
          ...eventVersion(`Event ${definition.type}.${name}`, options),
        }),
      }),
    on: <More>(
      name: string,
      ...given: readonly unknown[]
    ): Agent<State, Events, Messages & More> => {
      const [schema, handler, options] = isHandler(given[0]) ? [noPayload, ...given] : given;
      const entry = message(definition, name, schema as Schema, handler, options as HandlerOptions);
      return onMessage(definition, name, entry);
    },
    onBatch: (name, schema, handler, options) =>
      onMessage(definition, name, batchMessage(definition, name, schema, handler, options)),
    subscribe: (topic, handler, { from, ...options } = {}) =>
      onTopic(
        definition,
        topic,
        message(definition, topic.name, topic.schema, handler, options),
        from,
      ),
    subscribeBatch: (topic, handler, { from, ...options } = {}) =>
      onTopic(
        definition,
        topic,
        batchMessage(definition, topic.name, topic.schema, handler, options),
        from,
      ),
  };
  return Object.freeze(chain);
}

/** `onUnread` is for the agents of pipelines. */
const handlerRules: OptionRules<HandlerOptions & { readonly onUnread?: UnreadHandler }> = {
  version: "other",
  retry: "other",
  onFailed: "other",
  onUnread: "other",
};

function message(
  { type }: AgentDefinition,
  name: string,
  schema: Schema,
  handler: unknown,
  options: HandlerOptions = {},
): MessageDefinition {
  requireOptions(`Agent ${type}, ${name}: `, options, handlerRules);
  const { version = 1 } = options;
  requireVersion(`Agent ${type}, ${name}`, version);
  const retry = defined(options.retry ?? {});
  requireRetryPolicy(`Agent ${type}, ${name}: retry.`, retry);
  const { onFailed, onUnread } = options as {
    readonly onFailed?: FailedHandler;
    readonly onUnread?: UnreadHandler;
  };
  return Object.freeze({
    schema,
    version,
    handler: handler as Handler,
    retry: Object.freeze(retry),
    ...(onFailed === undefined ? {} : { onFailed }),
    ...(onUnread === undefined ? {} : { onUnread }),
  });
}

function batchMessage(
  definition: AgentDefinition,
  name: string,
  schema: Schema,
  handler: unknown,
  { batch = {}, ...options }: BatchHandlerOptions = {},
): MessageDefinition {
  const settings = batchSettings(`Agent ${definition.type}, ${name}`, batch);
  return Object.freeze({ ...message(definition, name, schema, handler, options), batch: settings });
}

function onMessage<State, Events, Messages>(
  definition: AgentDefinition,
  name: string,
  entry: MessageDefinition,
): Agent<State, Events, Messages> {
  const messages = add(definition, definition.messages, "message", name, entry);
  return build({ ...definition, messages });
}

function onTopic<State, Events, Messages>(
  definition: AgentDefinition,
  { name, retention }: TopicDefinition,
  handled: MessageDefinition,
  from: SubscriptionStart | undefined,
): Agent<State, Events, Messages> {
  if (from !== undefined && from !== "beginning" && from !== "now") {
    throw new DefinitionError(
      `Agent ${definition.type}, ${name}: from is "beginning" or "now", not ${JSON.stringify(from)}.`,
      { details: { type: definition.type, topic: name } },
    );
  }
  const entry = Object.freeze({
    ...handled,
    ...(from === undefined ? {} : { from }),
    ...(retention === undefined ? {} : { retention }),
  });
  const subscriptions = add(definition, definition.subscriptions, "subscription", name, entry);
  return build({ ...definition, subscriptions });
}

function hasHandlers(definition: AgentDefinition): boolean {
  return Object.keys(definition.messages).length + Object.keys(definition.subscriptions).length > 0;
}

function add<Entry>(
  definition: AgentDefinition,
  entries: Readonly<Record<string, Entry>>,
  kind: string,
  name: string,
  entry: Entry,
): Readonly<Record<string, Entry>> {
  if (kind === "subscription") requireName(kind, name);
  else requireMethodName(kind, name);
  if (Object.hasOwn(entries, name)) {
    throw new DefinitionError(`Agent ${definition.type} declares the ${kind} ${name} twice.`, {
      details: { type: definition.type, kind, name },
    });
  }
  return Object.freeze({ ...entries, [name]: entry });
}

/** The messages an agent definition handles. */
export type MessagesOf<Definition> =
  Definition extends Agent<infer _State, infer _Events, infer Messages> ? Messages : never;
