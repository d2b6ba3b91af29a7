/**
 * Lifting the state of a base record to what is declared today.
 *
 * Where the events are still in the journal, a changed fold folds them again and needs no
 * migration. Where they are gone the state is all there is; so it says with which code it was made,
 * and code that cannot make its own of it waits instead of going on with something else (I8, I15).
 */
import { DefinitionError } from "../errors/definition-errors.ts";

/** Makes of a state what the next version has. Pure, like the fold. Its argument is frozen. */
export type Migrate = (state: unknown) => unknown;

export type Migrations = Readonly<Record<number, Migrate>>;

/**
 * The declared migrations. @throws DefinitionError for one that is no function or lifts no earlier
 * version
 */
export function requireMigrations(what: string, version: number, migrate: Migrations): Migrations {
  for (const [from, lift] of Object.entries(migrate)) {
    const isEarlier = Number.isInteger(Number(from)) && Number(from) >= 1 && Number(from) < version;
    if (isEarlier && typeof lift === "function") continue;
    throw new DefinitionError(
      `${what} has version ${version}: migrate.${from} must be a function that lifts the state of an earlier version, from 1 to ${version - 1}, to the next one.`,
      { details: { what, version, from } },
    );
  }
  return Object.freeze({ ...migrate });
}
