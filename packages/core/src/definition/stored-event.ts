/**
 * The stored form of an event, as a type. `emit` takes values that the event's schema accepts; the
 * schema's result is stored, and projections get that. Only the compiler sees this.
 */

declare const storedEvents: unique symbol;

/** Carried along with the types of an agent's events. */
export interface StoredAs<Types> {
  readonly [storedEvents]?: Types;
}

/** The data of an event as it is stored. */
export type StoredEvent<Events, Name extends keyof Events> =
  Events extends StoredAs<infer Types>
    ? Name extends keyof Types
      ? Types[Name]
      : Events[Name]
    : Events[Name];
