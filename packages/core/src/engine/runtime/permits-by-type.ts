/**
 * Places for handlers of a worker that hosts several agent types: as many as it may run in all, and
 * fewer of one type where that is asked for, so that one type cannot take the places of the others.
 *
 * It is a setting of the worker and not of the agent, as are all other bounds on memory and places:
 * the number of handlers of a type that fit depends on the machine, and one definition may run on
 * large and small ones. A bound on all workers together is a `limit`.
 */
import { DefinitionError } from "../../errors/definition-errors.ts";
import { atLeastOne, requireNumbers } from "../../definition/option-rules.ts";
import type { Permits } from "./permits.ts";
import { permits } from "./permits.ts";

export interface PermitSettings {
  readonly handlersMax: number;
  readonly handlersMaxByType: Readonly<Record<string, number>>;
}

/** The permits of each hosted type. @throws DefinitionError */
export function permitsByType(
  { handlersMax, handlersMaxByType }: PermitSettings,
  types: readonly string[],
): (type: string) => Permits {
  requireHosted(Object.keys(handlersMaxByType), types);
  const rules = Object.fromEntries(types.map((type) => [type, atLeastOne]));
  requireNumbers("Worker option handlersMaxByType.", handlersMaxByType, rules);
  const all = permits(handlersMax);
  return (type) => {
    const max = Object.hasOwn(handlersMaxByType, type) ? handlersMaxByType[type] : undefined;
    return max === undefined ? all : both(permits(max), all);
  };
}

/** Permits that take one of each. */
function both(own: Permits, all: Permits): Permits {
  return {
    get free() {
      return own.free && all.free;
    },
    take() {
      own.take();
      all.take();
    },
    give() {
      own.give();
      all.give();
    },
    // A waiting handler that is woken asks again, and waits for the other permit where that is
    // taken by then.
    whenFree(action) {
      if (own.free) all.whenFree(action);
      else own.whenFree(action);
    },
  };
}

/** @throws DefinitionError */
function requireHosted(named: readonly string[], types: readonly string[]): void {
  const stranger = named.find((type) => !types.includes(type));
  if (stranger === undefined) return;
  throw new DefinitionError(
    `Worker option handlersMaxByType names the agent type ${stranger}, which this worker does not host; it hosts: ${types.join(", ")}.`,
    { details: { type: stranger } },
  );
}
