/**
 * The sink in PostgreSQL: model and checkpoint are in one database, and change in one transaction
 * (SINK-1).
 *
 * The checkpoint's row is locked first, so runners of one projection go one after the other, and a
 * handler runs only if the checkpoint is where its runner believes it to be. Making a model anew is
 * dropping the schema that the row says is the projection's: never one that was there before.
 */
import type { ProjectionSink } from "@troupe/core";
import type { Checkpoint, CheckpointMove, ProjectionDefinition } from "@troupe/core/log";
import { DefinitionError } from "@troupe/core/errors";
import { isSameCheckpoint, startOf } from "@troupe/core/log";

import { CheckpointTable } from "./checkpoint-table.ts";
import type { PostgresClient, Sql, TransactionSql } from "./client.ts";
import { inTransaction } from "./client.ts";
import { identifier } from "./identifier.ts";
import { sinkFailure } from "./sql-failure.ts";
import type { PostgresModel } from "./tables.ts";

export type PostgresSink = ProjectionSink<PostgresModel>;

export interface PostgresSinkOptions {
  /** The schema of the table of checkpoints. @default "troupe" */
  readonly schema?: string;
}

/** Any number would do that everybody uses: who makes a model holds this lock. */
const makingLock = 7_283_946_501;

/**
 * A sink on a pool of `pg` or on a PGlite; closing those is the caller's business.
 *
 * @example
 * ```ts
 * const sink = postgresSink(pool, { schema: "troupe" });
 * ```
 */
export function postgresSink(
  client: PostgresClient,
  { schema = "troupe" }: PostgresSinkOptions = {},
): PostgresSink {
  const table = new CheckpointTable(schema);
  const transact = async <Result>(
    { name }: ProjectionDefinition,
    work: (sql: TransactionSql) => Promise<Result>,
  ): Promise<Result> => {
    try {
      return await inTransaction(client, work);
    } catch (thrown) {
      throw sinkFailure(name, thrown);
    }
  };
  return Object.freeze<PostgresSink>({
    kind: "projection-sink",
    medium: "postgres",
    open: (projection) => transact(projection, (sql) => open(sql, table, projection, false)),
    reset: (projection) => transact(projection, (sql) => open(sql, table, projection, true)),
    apply: (projection, move, work) =>
      transact(projection, (sql) => apply(sql, table, { projection, move, work })),
  });
}

async function open(
  sql: TransactionSql,
  table: CheckpointTable,
  projection: ProjectionDefinition,
  isRebuild: boolean,
): Promise<Checkpoint> {
  const model = modelOf(projection);
  await sql.query("select pg_advisory_xact_lock($1)", [makingLock]);
  await table.make(sql);
  const stored = await table.lock(sql, projection.name);
  const isOutdated = stored !== undefined && stored.checkpoint.version < projection.version;
  if (stored !== undefined && !isOutdated && !isRebuild) return stored.checkpoint;
  if (stored !== undefined) {
    await sql.script(`drop schema if exists ${identifier(stored.modelSchema)} cascade`);
    await table.remove(sql, projection.name);
  }
  const modelSchema = model.schema ?? projection.name;
  await makeModel(sql, projection.name, { setup: model.setup, modelSchema });
  const checkpoint = startOf(projection);
  await table.insert(sql, projection.name, { checkpoint, modelSchema });
  return checkpoint;
}

interface ApplyCall {
  readonly projection: ProjectionDefinition;
  readonly move: CheckpointMove;
  readonly work: (handle: unknown) => Promise<void>;
}

async function apply(
  sql: TransactionSql,
  table: CheckpointTable,
  { projection, move: { from, to }, work }: ApplyCall,
): Promise<Checkpoint> {
  const stored = await table.lock(sql, projection.name);
  // Somebody removed it by hand: it begins anew.
  if (stored === undefined) return open(sql, table, projection, false);
  if (!isSameCheckpoint(stored.checkpoint, from)) return stored.checkpoint;
  await sql.script(`set local search_path to ${identifier(stored.modelSchema)}, public`);
  await work(sqlOf(sql));
  await table.move(sql, projection.name, to);
  return to;
}

/** Access for a handler, with no more than the type says. */
function sqlOf(sql: TransactionSql): Sql {
  return { query: (text, values) => sql.query(text, values) };
}

async function makeModel(
  sql: TransactionSql,
  name: string,
  { setup, modelSchema }: { readonly setup: string; readonly modelSchema: string },
): Promise<void> {
  const schema = identifier(modelSchema);
  const { rows } = await sql.query("select 1 from pg_namespace where nspname = $1", [modelSchema]);
  if (rows.length > 0) {
    throw new DefinitionError(
      `The schema ${modelSchema} is there already and does not belong to the projection ${name}: ` +
        "choose another one with tables(…, { schema }).",
      { details: { projection: name, schema: modelSchema } },
    );
  }
  await sql.script(`create schema ${schema}; set local search_path to ${schema}, public; ${setup}`);
}

function modelOf({ name, model }: ProjectionDefinition): PostgresModel {
  if (model.medium === "postgres" && "setup" in model) return model as PostgresModel;
  throw new DefinitionError(
    `Projection ${name} has a read model for ${model.medium}: declare it with tables(…).`,
    { details: { projection: name, medium: model.medium } },
  );
}
