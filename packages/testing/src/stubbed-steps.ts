/**
 * Steps of a case that do not happen: in place of their effect stands a value, or a function that
 * gets what the effect would get. The step itself stays one, so its result is recorded and its
 * name, input and limits are those of the handler.
 */
import type { AgentDefinition } from "@troupe/core/engine";

type MessageDefinition = AgentDefinition["messages"][string];

export interface StubbedStep {
  readonly name: string;
  /** The result, or what makes it. */
  readonly result: unknown;
}

type Effect = (...given: readonly unknown[]) => unknown;
type Step = (name: string, ...given: readonly unknown[]) => unknown;

/** The definition, whose handlers take these steps in place of their own; batches keep theirs. */
export function withStubs(
  definition: AgentDefinition,
  stubs: readonly StubbedStep[],
): AgentDefinition {
  if (stubs.length === 0) return definition;
  const effects = new Map(stubs.map(({ name, result }) => [name, effectOf(result)]));
  const stubbed = (entries: AgentDefinition["messages"]): AgentDefinition["messages"] =>
    Object.fromEntries(
      Object.entries(entries).map(([name, entry]) => [name, stubbedMessage(entry, effects)]),
    );
  const { messages, subscriptions } = definition;
  return { ...definition, messages: stubbed(messages), subscriptions: stubbed(subscriptions) };
}

function effectOf(result: unknown): Effect {
  return typeof result === "function" ? (result as Effect) : () => result;
}

function stubbedMessage(
  entry: MessageDefinition,
  effects: ReadonlyMap<string, Effect>,
): MessageDefinition {
  if (entry.batch !== undefined) return entry;
  return {
    ...entry,
    handler: (context, message) =>
      entry.handler(stubbedContext(context as object, effects), message),
  };
}

/** The context, with a `step` that knows the stubs. Its methods are called on the original. */
function stubbedContext(context: object, effects: ReadonlyMap<string, Effect>): unknown {
  const taken = Reflect.get(context, "step", context) as Step;
  const step: Step = (name, ...given) => {
    const effect = effects.get(name);
    const where = given.findIndex((each) => typeof each === "function");
    const replaced = effect === undefined || where < 0 ? given : given.with(where, effect);
    return taken.call(context, name, ...replaced);
  };
  return new Proxy(context, {
    get: (target, property) => {
      if (property === "step") return step;
      const value: unknown = Reflect.get(target, property, target);
      const prototype: unknown = Object.getPrototypeOf(target);
      const method = Object.getOwnPropertyDescriptor(prototype ?? {}, property)?.value as unknown;
      return typeof method === "function" && value === method
        ? (method.bind(target) as unknown)
        : value;
    },
  });
}
