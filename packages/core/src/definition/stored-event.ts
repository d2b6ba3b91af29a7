/**
 * The stored form of an event, as a type. `emit` takes what the event's schema accepts; what the
 * schema makes of it is stored, and that is what projections get. Only the compiler sees this.
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
