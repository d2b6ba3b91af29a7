/**
 * Emmett on PostgreSQL: one stream per account, one command per deposit through `CommandHandler`,
 * which reads the stream, folds it and appends one event at the expected version.
 *
 * Emmett has no inbox: the caller brings the commands, and the ones of one account must follow one
 * another here, or else its optimistic concurrency makes the later one try again. Storing the
 * deposits first is therefore work that only the other contestant does.
 */
import { CommandHandler } from "@event-driven-io/emmett";
import type { Event } from "@event-driven-io/emmett";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { Pool } from "pg";

import { amount, checkBalances, checkReplySum, depositsOn, keyOf, keys, text } from "../peer.ts";
import type { OpenPeer } from "../peer.ts";
import { postgresDurability, startPostgres } from "../servers/postgres.ts";
import { inParallel } from "./in-parallel.ts";
import { installedVersion } from "./installed-version.ts";

interface Deposit {
  readonly amount: number;
  readonly text: string;
}

interface Account {
  readonly balance: number;
}

type Deposited = Event<"deposited", { readonly amount: number }>;

const poolSize = 20;

const handle = CommandHandler<Account, Deposited>({
  evolve: ({ balance }, { data }) => ({ balance: balance + data.amount }),
  initialState: () => ({ balance: 0 }),
});

const deposited = ({ amount: added }: Deposit): Deposited => ({
  type: "deposited",
  data: { amount: added },
});

export const open: OpenPeer = async () => {
  const server = await startPostgres(poolSize + 10);
  const pool = new Pool({ connectionString: server.url, max: poolSize });
  // Clients that are still saying goodbye complain when the server stops.
  pool.on("error", () => undefined);
  const store = getPostgreSQLEventStore(server.url, { connectionOptions: { pool } });
  await store.schema.migrate();
  let rounds = 0;
  return {
    versions: `emmett-postgresql ${installedVersion("@event-driven-io/emmett-postgresql")}, PostgreSQL ${server.version}`,
    settings: `${poolSize} accounts at a time, the commands of one in order; no inbox, so no deposits are stored first`,
    durability: postgresDurability,
    async round(deposits) {
      const prefix = `account:r${rounds++}-`;
      let sum = 0;
      const startedAt = performance.now();
      await inParallel(poolSize, keys, async (key) => {
        for (let left = depositsOn(key, deposits); left > 0; left--) {
          const command: Deposit = { amount, text };
          const { newState } = await handle(store, prefix + keyOf(key), () => deposited(command));
          sum += newState.balance;
        }
      });
      const seconds = (performance.now() - startedAt) / 1000;
      checkReplySum(sum, deposits);
      const balances = new Map<string, number>();
      await inParallel(poolSize, keys, async (key) => {
        const { events } = await store.readStream<Deposited>(prefix + keyOf(key));
        balances.set(
          keyOf(key),
          events.reduce((total, { data }) => total + data.amount, 0),
        );
      });
      checkBalances(balances, deposits);
      return seconds;
    },
    async close() {
      await store.close();
      await pool.end();
      await server.stop();
    },
  };
};
