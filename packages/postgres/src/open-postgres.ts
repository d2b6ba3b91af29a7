/**
 * A database for read models in one line: the server that TROUPE_POSTGRES_URL names, or a PGlite in
 * a folder for development. `pg` and `@electric-sql/pglite` are imported only when they are used.
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import { DefinitionError } from "@troupe/core/errors";

import type { PostgresClient, Sql } from "./client.ts";
import type { PostgresSink, PostgresSinkOptions } from "./postgres-sink.ts";
import { postgresSink } from "./postgres-sink.ts";

export interface OpenPostgresOptions extends PostgresSinkOptions {
  /**
   * The server's connection string; false for the folder, whatever the environment says. @default
   * TROUPE_POSTGRES_URL
   */
  readonly url?: string | false | undefined;
  /** Folder in which PGlite keeps its data when there is no server. @default ".troupe/postgres" */
  readonly folder?: string;
}

export interface Postgres extends PostgresSink, Sql, AsyncDisposable {
  /**
   * Waits for what is under way, and closes the connections.
   *
   * @example
   * ```ts
   * await postgres.close();
   * ```
   */
  close(): Promise<void>;
}

/**
 * Opens the database; it is a sink, and answers queries. @throws DefinitionError
 *
 * @example
 * ```ts
 * await using postgres = await openPostgres({ folder: ".troupe/postgres" });
 * ```
 */
export async function openPostgres(options: OpenPostgresOptions = {}): Promise<Postgres> {
  const { url = process.env["TROUPE_POSTGRES_URL"], folder = ".troupe/postgres" } = options;
  const isServer = url !== undefined && url !== false && url !== "";
  const { client, query, close } = await (isServer ? openServer(url) : openFolder(folder));
  const sink = postgresSink(client, options);
  return Object.freeze<Postgres>({ ...sink, query, close, [Symbol.asyncDispose]: close });
}

interface Database {
  readonly client: PostgresClient;
  readonly query: Sql["query"];
  readonly close: () => Promise<void>;
}

async function openServer(connectionString: string): Promise<Database> {
  const { Pool } = await import("pg").catch((cause: unknown) => missing("pg", cause));
  const client = new Pool({ connectionString });
  // A connection that breaks while it is idle is replaced when it is needed.
  client.on("error", () => undefined);
  return {
    client,
    query: async <Row>(text: string, values?: unknown[]) => {
      const { rows } = await client.query(text, values);
      return { rows: rows as Row[] };
    },
    close: () => client.end(),
  };
}

async function openFolder(folder: string): Promise<Database> {
  const { PGlite } = await import("@electric-sql/pglite").catch((cause: unknown) =>
    missing("@electric-sql/pglite", cause),
  );
  await mkdir(dirname(folder), { recursive: true });
  const client = await PGlite.create(folder);
  return {
    client,
    query: <Row>(text: string, values?: unknown[]) => client.query<Row>(text, values),
    close: () => client.close(),
  };
}

function missing(name: string, cause: unknown): never {
  throw new DefinitionError(
    `The package ${name} cannot be imported. A server (TROUPE_POSTGRES_URL) needs pg, a local ` +
      "folder needs @electric-sql/pglite: install the one you use.",
    { details: { package: name }, cause },
  );
}
