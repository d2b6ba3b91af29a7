/** The state of a base record, lifted to what is declared today. */
import type { AgentDefinition } from "../definition/agent-definition.ts";
import type { EventPlace } from "../definition/event-version.ts";
import { agentName } from "../definition/message/address.ts";
import { MigrationError, MissingMigrationError, NewerStateError } from "../errors/state-errors.ts";
import { thrownText } from "../errors/thrown.ts";
import { Sealed } from "../wire/sealed.ts";
import { handedOut, stored } from "../wire/storable.ts";
import { ignore, isThenable } from "../wire/thenable.ts";
import type { BaseRecord } from "./base-record.ts";

/**
 * The state of a base record in the declared version. @throws NewerStateError,
 * MissingMigrationError, MigrationError
 */
export function stateOfBase(
  definition: AgentDefinition,
  base: BaseRecord,
  place: EventPlace,
): unknown {
  // An erased state has nothing left to go on from (BASE-5).
  if (base.ended !== undefined || base.state instanceof Sealed) return definition.initialState;
  const { stateVersion: ours } = definition;
  const { stateVersion: theirs } = base;
  if (theirs > ours || (theirs === ours && !knowsEvents(definition, base))) {
    throw newerState(definition, base, place);
  }
  let state = stored(base.state, `The base record of ${agentName(place.agent)}`);
  for (let from = theirs; from < ours; from++) state = migrated(definition, from, state, place);
  return state;
}

/** Whether the state was folded from nothing that only newer code declares. */
function knowsEvents({ events }: AgentDefinition, { foldVersion }: BaseRecord): boolean {
  const [, ...theirs] = foldVersion.split(" ");
  return theirs.every((event) => {
    const [name = "", version = "1"] = event.split("@");
    return Object.hasOwn(events, name) && (events[name]?.version ?? 0) >= Number(version);
  });
}

function migrated(
  { migrate, type }: AgentDefinition,
  from: number,
  state: unknown,
  place: EventPlace,
): unknown {
  const lift = migrate !== undefined && Object.hasOwn(migrate, from) ? migrate[from] : undefined;
  const agent = agentName(place.agent);
  const details = { agent, position: place.position, from };
  if (lift === undefined) {
    throw new MissingMigrationError(
      `The journal of ${agent} begins with a state of version ${from} (base record at ${place.position}), and nothing lifts that to version ${from + 1}: declare \`state(initial, { version, migrate: { ${from}: (state) => … } })\` on ${type}. The agent waits.`,
      { details },
    );
  }
  const failed = (why: string, cause?: unknown): MigrationError =>
    new MigrationError(
      `The migration of ${type} from version ${from} failed on the state of ${agent} (base record at ${place.position}): ${why}. The agent waits.`,
      { details, cause },
    );
  let next: unknown;
  try {
    next = lift(handedOut(state));
  } catch (cause) {
    throw failed(thrownText(cause).replace(/\.$/, ""), cause);
  }
  if (isThenable(next)) {
    ignore(next);
    throw failed("it returned a promise; a migration returns at once");
  }
  return stored(next, `What the migration of ${type} from version ${from} returned`);
}

function newerState(
  { stateVersion, type }: AgentDefinition,
  base: BaseRecord,
  { agent, position }: EventPlace,
): NewerStateError {
  const name = agentName(agent);
  return new NewerStateError(
    `The journal of ${name} begins with a state of newer code (base record at ${position}, folded with ${base.foldVersion}; this code declares version ${stateVersion} of ${type}): update this worker. Where an event was taken away on purpose, raise the version of the state and declare a migration.`,
    { details: { agent: name, position, foldVersion: base.foldVersion } },
  );
}
