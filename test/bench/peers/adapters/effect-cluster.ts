/**
 * Effect's cluster: an entity per key, one runner, messages and replies persisted in PostgreSQL.
 * The handler adds to a balance in the same database and the same transaction as its reply, so that
 * a deposit counts once. An entity handles one message at a time.
 */
import { SqlClient } from "effect/sql";
import { PgClient } from "@effect/sql-pg";
import { Effect, Layer, ManagedRuntime, Redacted, Schema } from "effect";
import { ClusterSchema, Entity, SingleRunner } from "effect/cluster";
import { Digest } from "effect/crypto";
import { Rpc } from "effect/rpc";

import { amount, checkBalances, checkReplySum, keyOf, text } from "../peer.ts";
import type { OpenPeer } from "../peer.ts";
import { postgresDurability, startPostgres } from "../servers/postgres.ts";
import { inParallel } from "./in-parallel.ts";
import { installedVersion } from "./installed-version.ts";

const inFlight = 1000;
const connections = 20;

const Account = Entity.make("Account", [
  Rpc.make("deposit", {
    payload: { id: Schema.String, amount: Schema.Number, text: Schema.String },
    success: Schema.Number,
    primaryKey: ({ id }) => id,
  })
    .annotate(ClusterSchema.Persisted, true)
    .annotate(ClusterSchema.WithTransaction, true),
]);

interface Row {
  readonly key: string;
  readonly balance: number;
}

const accountLayer = Account.toLayer(
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient;
    const { entityId } = yield* Entity.CurrentAddress;
    return Account.of({
      deposit: ({ payload }) =>
        sql<Row>`insert into balances (key, balance) values (${entityId}, ${payload.amount})
          on conflict (key) do update set balance = balances.balance + excluded.balance
          returning key, balance`.pipe(
          Effect.map(([row]) => row?.balance ?? Number.NaN),
          Effect.orDie,
        ),
    });
  }),
  { mailboxCapacity: "unbounded" },
);

export const open: OpenPeer = async () => {
  const server = await startPostgres(connections + 10);
  const database = PgClient.layer({ url: Redacted.make(server.url), maxConnections: connections });
  const runtime = ManagedRuntime.make(
    accountLayer.pipe(
      Layer.provideMerge(SingleRunner.layer({ runnerStorage: "memory" })),
      Layer.provideMerge(database),
      Layer.provide(Digest.layerWebCrypto),
    ),
  );
  const sql = await runtime.runPromise(SqlClient.SqlClient);
  await runtime.runPromise(sql`create table balances (key text primary key, balance integer)`);
  const client = await runtime.runPromise(Account.client);
  let rounds = 0;
  return {
    versions: `effect ${installedVersion("effect")}, PostgreSQL ${server.version}`,
    settings: `one runner, ${inFlight} calls in flight, ${connections} connections to the database, reply and balance in one transaction; storing the calls is on the clock on both sides`,
    durability: postgresDurability,
    async round(deposits) {
      const prefix = `r${rounds++}-`;
      let sum = 0;
      const startedAt = performance.now();
      await inParallel(inFlight, deposits, async (deposit) => {
        const id = `${prefix}${deposit}`;
        const account = client(`${prefix}${keyOf(deposit)}`);
        const balance = await runtime.runPromise(account.deposit({ id, amount, text }));
        sum += balance;
      });
      const seconds = (performance.now() - startedAt) / 1000;
      checkReplySum(sum, deposits);
      const rows = await runtime.runPromise(
        sql<Row>`select key, balance from balances where key like ${`${prefix}%`}`,
      );
      checkBalances(
        new Map(rows.map(({ key, balance }) => [key.slice(prefix.length), balance])),
        deposits,
      );
      return seconds;
    },
    async close() {
      await runtime.dispose();
      await server.stop();
    },
  };
};
