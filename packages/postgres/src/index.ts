/** Read models of projections in PostgreSQL. */

/** Declare a model, and open or make a sink for it. */
export { tables } from "./tables.ts";
export type { PostgresModel, TablesOptions } from "./tables.ts";
export { postgresSink } from "./postgres-sink.ts";
export type { PostgresSink, PostgresSinkOptions } from "./postgres-sink.ts";
export { openPostgres } from "./open-postgres.ts";
export type { OpenPostgresOptions, Postgres } from "./open-postgres.ts";

/** The clients it takes: a pool of `pg`, or a PGlite. */
export type {
  EmbeddedClient,
  EmbeddedTransaction,
  PoolClient,
  PostgresClient,
  PostgresPool,
  Rows,
  Sql,
} from "./client.ts";
