/** A read model in PostgreSQL: tables in a schema of their own. */
import type { ReadModel } from "@troupe/core";

import type { Sql } from "./client.ts";

export interface PostgresModel extends ReadModel<Sql> {
  readonly medium: "postgres";
  /** SQL that makes the tables, in an empty schema. */
  readonly setup: string;
  readonly schema: string | undefined;
}

export interface TablesOptions {
  /**
   * The schema, which belongs to this projection alone: a rebuild drops it with everything in it.
   * @default the projection's name
   */
  readonly schema?: string;
}

/**
 * Declare the tables of a projection.
 *
 * They are made in a schema that belongs to the projection and is first on the search path of its
 * handlers, so they are `balance` there and `balances.balance` for everybody else. A raised version
 * and a rebuild drop the schema and make it again.
 *
 * @example
 * ```ts
 * const balances = projection(
 *   "balances",
 *   tables("create table balance (owner text primary key, amount numeric not null)"),
 * ).on(account, "deposited", async (sql, { amount }, { agent }) => {
 *   await sql.query(
 *     `insert into balance values ($1, $2)
 *      on conflict (owner) do update set amount = balance.amount + excluded.amount`,
 *     [agent.key, amount],
 *   );
 * });
 * ```
 */
export function tables(setup: string, { schema }: TablesOptions = {}): PostgresModel {
  return Object.freeze({ medium: "postgres", setup, schema });
}
