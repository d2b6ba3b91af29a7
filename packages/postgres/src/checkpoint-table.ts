/** The table of checkpoints: one row per projection, which also says which schema is its own. */
import type { Checkpoint } from "@troupe/core/log";

import type { TransactionSql } from "./client.ts";
import { identifier } from "./identifier.ts";

export interface StoredProjection {
  readonly checkpoint: Checkpoint;
  readonly modelSchema: string;
}

interface Row {
  readonly version: number | string;
  readonly position: number | string;
  readonly recorded_at_ms: number | string;
  readonly model_schema: string;
  /** JSON; null on a log of one shard. */
  readonly shards: string | null;
}

/** The statements on the table in one schema. */
export class CheckpointTable {
  readonly #schema: string;
  readonly #table: string;

  constructor(schema: string) {
    this.#schema = identifier(schema);
    this.#table = `${this.#schema}.projection`;
  }

  async make(sql: TransactionSql): Promise<void> {
    await sql.script(`
      create schema if not exists ${this.#schema};
      create table if not exists ${this.#table} (
        name text primary key,
        version integer not null,
        position bigint not null,
        recorded_at_ms bigint not null,
        model_schema text not null,
        updated_at timestamptz not null default now()
      );
      alter table ${this.#table} add column if not exists shards text`);
  }

  /** The row, locked until the end of the transaction: who comes next waits for it. */
  async lock(sql: TransactionSql, name: string): Promise<StoredProjection | undefined> {
    const { rows } = await sql.query<Row>(
      `select version, position, recorded_at_ms, model_schema, shards
         from ${this.#table} where name = $1 for update`,
      [name],
    );
    const row = rows[0];
    return row && { checkpoint: checkpointOf(row), modelSchema: row.model_schema };
  }

  async insert(
    sql: TransactionSql,
    name: string,
    { checkpoint, modelSchema }: StoredProjection,
  ): Promise<void> {
    const { version, position, recordedAtMs } = checkpoint;
    await sql.query(
      `insert into ${this.#table} (name, version, position, recorded_at_ms, model_schema, shards)
       values ($1, $2, $3, $4, $5, $6)`,
      [name, version, position, recordedAtMs, modelSchema, shardsText(checkpoint)],
    );
  }

  async move(sql: TransactionSql, name: string, to: Checkpoint): Promise<void> {
    await sql.query(
      `update ${this.#table}
          set version = $2, position = $3, recorded_at_ms = $4, shards = $5, updated_at = now()
        where name = $1`,
      [name, to.version, to.position, to.recordedAtMs, shardsText(to)],
    );
  }

  async remove(sql: TransactionSql, name: string): Promise<void> {
    await sql.query(`delete from ${this.#table} where name = $1`, [name]);
  }
}

/** A bigint comes as text from one client and as a number from the other. */
function checkpointOf(row: Row): Checkpoint {
  const { version, position, recorded_at_ms: recordedAtMs, shards } = row;
  return {
    ...(shards === null ? {} : { shards: JSON.parse(shards) as Checkpoint["shards"] }),
    version: Number(version),
    position: Number(position),
    recordedAtMs: Number(recordedAtMs),
  };
}

function shardsText({ shards }: Checkpoint): string | null {
  return shards === undefined ? null : JSON.stringify(shards);
}
