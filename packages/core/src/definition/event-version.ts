/**
 * Versions of an event's data.
 *
 * A journal never changes, but code does: an event is recorded with the version it had then, and
 * every reader lifts it, one version at a time, to the one that is declared today. The fold knows
 * only that one.
 */
import { thrownText } from "../errors/thrown.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import { MissingUpcasterError, NewerEventError, UpcastError } from "../errors/event-errors.ts";
import type { AgentId } from "./message/address.ts";
import { agentName } from "./message/address.ts";
import type { Position } from "./message/input.ts";
import { requireOptions } from "./option-rules.ts";
import type { RecordedEvent } from "./recorded-event.ts";
import type { Schema } from "./schema.ts";
import { stored } from "../wire/storable.ts";
import { ignore, isThenable } from "../wire/thenable.ts";

/**
 * Makes of an event's data what the next version has. Pure, like the fold: the result is all that
 * it does, and it returns at once. Its argument is frozen.
 */
export type Upcast = (data: unknown) => unknown;

export interface EventOptions {
  /**
   * Version of the data's shape, a whole number from 1. Raise it when new code could not read what
   * is in the journals; snapshots are then taken anew. @default 1
   */
  readonly version?: number;
  /**
   * A function for each earlier version, which lifts the data of that version to the next one. The
   * fold gets the result of the last one; the schema is not asked again. @default none
   *
   * ```ts
   * .event("deposited", z.object({ cents: z.int(), currency: z.string() }), fold, {
   *   version: 3,
   *   upcast: {
   *     1: (data) => ({ cents: Math.round(v1.parse(data).amount * 100) }),
   *     2: (data) => ({ ...v2.parse(data), currency: "EUR" }),
   *   },
   * })
   * ```
   */
  readonly upcast?: Readonly<Record<number, Upcast>>;
}

/** The agent that an event belongs to, and the place where it is recorded. */
export interface EventDefinition {
  readonly schema: Schema;
  /** The shape of the data: `emit` takes it, and the fold gets it. */
  readonly version: number;
  /** Functions by earlier version: each lifts the data of its version to the next one. */
  readonly upcast: Readonly<Record<number, Upcast>>;
  readonly fold: (state: unknown, event: unknown) => unknown;
}

/** What a fold depends on, of an agent's definition. */
interface FoldedDefinition {
  readonly events: Readonly<Record<string, EventDefinition>>;
  readonly stateVersion: number;
}

export interface EventPlace {
  readonly agent: AgentId;
  /**
   * Position of the turn record; for an event that is not recorded yet, of the message being
   * handled.
   */
  readonly position: Position;
}

/**
 * The options with their defaults. @throws DefinitionError unless every earlier version is lifted
 */
export function eventVersion(
  what: string,
  options: EventOptions = {},
): Pick<EventDefinition, "upcast" | "version"> {
  requireOptions(`${what}: `, options, { version: "other", upcast: "other" });
  const { version = 1, upcast = {} } = options;
  requireVersion(what, version);
  for (let earlier = 1; earlier < version; earlier++) {
    if (typeof upcast[earlier] === "function") continue;
    throw new DefinitionError(
      `${what} has version ${version}, but nothing lifts version ${earlier} to ${earlier + 1}: add \`upcast: { ${earlier}: (data) => … }\`.`,
      { details: { what, version, missing: earlier } },
    );
  }
  const extra = Object.keys(upcast).find((each) => !isEarlier(Number(each), version));
  if (extra !== undefined) {
    throw new DefinitionError(
      `${what} has version ${version}, so nothing can be lifted from version ${extra}: raise the version, or remove that upcaster.`,
      { details: { what, version, extra } },
    );
  }
  return { version, upcast: Object.freeze({ ...upcast }) };
}

function isEarlier(earlier: number, version: number): boolean {
  return Number.isInteger(earlier) && earlier >= 1 && earlier < version;
}

/** @throws DefinitionError */
export function requireVersion(what: string, version: number): void {
  if (Number.isSafeInteger(version) && version >= 1) return;
  throw new DefinitionError(`${what}: the version must be a whole number from 1, not ${version}.`, {
    details: { what, version },
  });
}

/**
 * A recorded event's data in the declared version.
 *
 * @throws NewerEventError, MissingUpcasterError, UpcastError
 */
export function upToDate(
  { upcast, version }: EventDefinition,
  event: RecordedEvent,
  place: EventPlace,
): unknown {
  const { data, version: recorded = 1 } = event;
  if (recorded > version) throw newerEvent(event, version, place);
  let lifted = data;
  for (let from = recorded; from !== version; from++) {
    const lift = Object.hasOwn(upcast, from) ? upcast[from] : undefined;
    if (lift === undefined) throw missingUpcaster(event, from, place);
    lifted = liftedBy(lift, lifted, () => ({ event, from, place }));
  }
  return lifted;
}

/**
 * The versions that a state is folded with: that of the state, and those of the declared events, as
 * in `1 deposited@2 opened`. For a snapshot.
 */
export function foldVersion({ events, stateVersion }: FoldedDefinition): string {
  const declared = Object.entries(events).map(([name, { version }]) =>
    version > 1 ? `${name}@${version}` : name,
  );
  return [`${stateVersion}`, ...declared.toSorted()].join(" ");
}

/**
 * Whether a state that was folded with `theirs` is one that `ours` would come to. Events that only
 * we declare are not in it; one that only they declare may be, and we could not have folded it.
 */
export function coversFold(ours: string, theirs: string): boolean {
  const [version, ...events] = ours.split(" ");
  const [theirVersion, ...theirEvents] = theirs.split(" ");
  return version === theirVersion && theirEvents.every((event) => events.includes(event));
}

/** An event as it is recorded: version 1 goes without saying, so that records stay small. */
export function recordedEvent(type: string, data: unknown, version: number): RecordedEvent {
  return version === 1 ? { type, data } : { type, data, version };
}

/** `the event deposited of account/alice at position 7`. */
export function eventAt(event: string, { agent, position }: EventPlace): string {
  return `the event ${event} of ${agentName(agent)} at position ${position}`;
}

/** Ids of an event for an error's details. */
export function eventIds(
  event: string,
  { agent, position }: EventPlace,
): Readonly<Record<string, unknown>> {
  return { agent: agentName(agent), event, position };
}

interface Lifting {
  readonly event: RecordedEvent;
  readonly from: number;
  readonly place: EventPlace;
}

function liftedBy(lift: Upcast, data: unknown, lifting: () => Lifting): unknown {
  let lifted: unknown;
  try {
    lifted = lift(stored(data, "What it gets"));
    if (!isThenable(lifted)) return stored(lifted, "What it returned");
  } catch (cause) {
    throw upcastFailed(lifting(), thrownText(cause), cause);
  }
  ignore(lifted);
  throw upcastFailed(lifting(), "it returned a promise, and an upcaster must return the data");
}

function upcastFailed({ event, from, place }: Lifting, why: string, cause?: unknown): UpcastError {
  return new UpcastError(
    `The upcaster from version ${from} failed on ${eventAt(event.type, place)}: ${why}. Correct upcast[${from}]; until then the agent waits.`,
    { details: { ...eventIds(event.type, place), version: event.version ?? 1, from }, cause },
  );
}

function newerEvent(event: RecordedEvent, declared: number, place: EventPlace): NewerEventError {
  const { type, version } = event;
  return new NewerEventError(
    `This code declares version ${declared} of ${eventAt(type, place)}, which was recorded with version ${version}: update this worker, or declare version ${version} with its upcasters.`,
    { details: { ...eventIds(type, place), version, declared } },
  );
}

function missingUpcaster(
  event: RecordedEvent,
  from: number,
  place: EventPlace,
): MissingUpcasterError {
  const { type, version = 1 } = event;
  return new MissingUpcasterError(
    `Nothing lifts ${eventAt(type, place)}, which was recorded with version ${version}: add an upcaster from version ${from}, \`upcast: { ${from}: (data) => … }\`.`,
    { details: { ...eventIds(type, place), version, from } },
  );
}
