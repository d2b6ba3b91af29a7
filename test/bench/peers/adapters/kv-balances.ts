/**
 * Balances for peers that bring messages but keep no state: a key-value bucket on the same broker,
 * as their users would have. One write per deposit, at the revision of the last one, with the
 * number of the deposit beside the balance, so that a message that comes again changes nothing. The
 * deposits of one key wait for one another; the balance stays in memory meanwhile.
 */
import type { KV, NatsConnection } from "nats";

interface Balance {
  balance: number;
  /** The stream sequence of the last deposit. */
  last: number;
  revision: number;
  /** Settles when the deposit before is kept. */
  before: Promise<unknown>;
}

export interface KvBalances {
  /** The balance with this deposit, once it is kept. */
  deposit(key: string, sequence: number, amount: number): Promise<number>;
  /** Balances that are kept, from the bucket and not from memory. */
  read(): Promise<Map<string, number>>;
  drop(): Promise<void>;
}

export async function openKvBalances(
  connection: NatsConnection,
  bucket: string,
): Promise<KvBalances> {
  const kv = await connection.jetstream().views.kv(bucket, { history: 1 });
  const known = new Map<string, Balance>();
  return {
    deposit(key, sequence, amount) {
      let state = known.get(key);
      if (state === undefined) {
        state = { balance: 0, last: 0, revision: 0, before: Promise.resolve() };
        known.set(key, state);
      }
      const kept = keep(kv, key, state, sequence, amount);
      state.before = kept;
      return kept;
    },
    read: () => readAll(kv),
    drop: async () => {
      await kv.destroy();
    },
  };
}

async function keep(
  kv: KV,
  key: string,
  state: Balance,
  sequence: number,
  amount: number,
): Promise<number> {
  await state.before;
  if (sequence <= state.last) return state.balance;
  const balance = state.balance + amount;
  const value = JSON.stringify({ balance, last: sequence });
  state.revision = await kv.put(key, value, { previousSeq: state.revision });
  state.balance = balance;
  state.last = sequence;
  return balance;
}

async function readAll(kv: KV): Promise<Map<string, number>> {
  const balances = new Map<string, number>();
  for await (const key of await kv.keys()) balances.set(key, 0);
  for (const key of balances.keys()) {
    const entry = await kv.get(key);
    balances.set(key, entry?.json<{ readonly balance: number }>().balance ?? Number.NaN);
  }
  return balances;
}
