/**
 * The clients of PostgreSQL this package works with, by their shape: a pool of `pg`, or a PGlite.
 * So it depends on neither, and takes whatever version of them the program uses.
 */

export interface Rows<Row> {
  readonly rows: Row[];
}

/** Access for a handler: SQL inside the transaction, with the projection's own tables. */
export interface Sql {
  /**
   * @example
   * ```ts
   * const { rows } = await sql.query("select owner, amount from balance where owner = $1", [
   *   "alice",
   * ]);
   * ```
   */
  query<Row = Readonly<Record<string, unknown>>>(
    text: string,
    values?: unknown[],
  ): Promise<Rows<Row>>;
}

/** A connection of a pool. */
export interface PoolClient {
  query(text: string, values?: unknown[]): Promise<Rows<unknown>>;
  /** With true or an error, the connection is closed instead of used again. */
  release(destroy?: boolean | Error): void;
}

/** A `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PoolClient>;
}

export interface EmbeddedTransaction {
  query(text: string, values?: unknown[]): Promise<Rows<unknown>>;
  exec(script: string): Promise<unknown>;
}

/** A `PGlite`. */
export interface EmbeddedClient {
  transaction<Result>(work: (sql: EmbeddedTransaction) => Promise<Result>): Promise<Result>;
}

export type PostgresClient = PostgresPool | EmbeddedClient;

/** SQL inside a transaction; `script` may hold several statements. */
export interface TransactionSql extends Sql {
  script(text: string): Promise<void>;
}

/** Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. */
export function inTransaction<Result>(
  client: PostgresClient,
  work: (sql: TransactionSql) => Promise<Result>,
): Promise<Result> {
  return "transaction" in client
    ? client.transaction((sql) => work(embeddedSql(sql)))
    : inPoolTransaction(client, work);
}

async function inPoolTransaction<Result>(
  pool: PostgresPool,
  work: (sql: TransactionSql) => Promise<Result>,
): Promise<Result> {
  const connection = await pool.connect();
  let isSound = false;
  try {
    await connection.query("begin");
    const result = await work(poolSql(connection));
    await connection.query("commit");
    isSound = true;
    return result;
  } catch (thrown) {
    isSound = await rolledBack(connection);
    throw thrown;
  } finally {
    connection.release(!isSound);
  }
}

/** A connection that cannot roll back is not used again; the server then does. */
async function rolledBack(connection: PoolClient): Promise<boolean> {
  try {
    await connection.query("rollback");
    return true;
  } catch {
    return false;
  }
}

function poolSql(connection: PoolClient): TransactionSql {
  return {
    query: <Row>(text: string, values?: unknown[]) =>
      connection.query(text, values) as Promise<Rows<Row>>,
    // Without values, the server takes several statements at once.
    script: async (text) => void (await connection.query(text)),
  };
}

function embeddedSql(transaction: EmbeddedTransaction): TransactionSql {
  return {
    query: <Row>(text: string, values?: unknown[]) =>
      transaction.query(text, values) as Promise<Rows<Row>>,
    script: async (text) => void (await transaction.exec(text)),
  };
}
