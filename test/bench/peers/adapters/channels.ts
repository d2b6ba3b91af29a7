/**
 * Moleculer channels on NATS JetStream: one channel, one service. Channels keep no state and have
 * no order per key while several messages are in flight; both come from `kv-balances.ts`.
 */
import channels from "@moleculer/channels";
import { ServiceBroker } from "moleculer";
import type { Middleware } from "moleculer";
import { connect } from "nats";

import { amount, checkBalances, keyOf, text } from "../peer.ts";
import type { Peer, Surroundings } from "../peer.ts";
import { inParallel } from "./in-parallel.ts";
import { installedVersion } from "./installed-version.ts";
import { openKvBalances } from "./kv-balances.ts";

interface Deposit {
  readonly key: string;
  readonly amount: number;
  readonly text: string;
}

interface Sender {
  sendToChannel(channel: string, deposit: Deposit): Promise<void>;
}

export async function openMoleculer({ natsUrl }: Surroundings, maxInFlight: number): Promise<Peer> {
  const raw = await connect({ servers: natsUrl });
  const manager = await raw.jetstreamManager();
  // Its types ask for the options of every adapter, and know no middleware that has a name.
  const middlewareOf = channels.Middleware as unknown as (options: object) => Middleware;
  const adapter = { type: "NATS", options: { nats: { url: natsUrl } } };
  const broker = new ServiceBroker({ logger: false, middlewares: [middlewareOf({ adapter })] });
  await broker.start();
  const sender = broker as unknown as Sender;
  let rounds = 0;
  return {
    versions: `@moleculer/channels ${installedVersion("@moleculer/channels")}, moleculer ${installedVersion("moleculer")}, nats ${installedVersion("nats")}`,
    settings: `maxInFlight ${maxInFlight}; the balance in a key-value bucket of the same broker; messages stored before the clock starts`,
    durability: "JetStream's default sync_interval, as with ours: acknowledged before fsync",
    async round(deposits) {
      const channel = `deposits-${process.pid}-${rounds++}`;
      await manager.streams.add({ name: channel, subjects: [channel] });
      const balances = await openKvBalances(raw, channel);
      await inParallel(256, deposits, (deposit) =>
        sender.sendToChannel(channel, { key: keyOf(deposit), amount, text }),
      );
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      let handled = 0;
      const startedAt = performance.now();
      const service = broker.createService({
        name: channel,
        channels: {
          [channel]: {
            maxInFlight,
            nats: { consumerOptions: { config: { deliver_policy: "all" } } },
            handler: async (deposit: Deposit, { seq }: { readonly seq: number }) => {
              await balances.deposit(deposit.key, seq, deposit.amount).catch(reject);
              if (++handled === deposits) resolve();
            },
          },
        },
      });
      await promise;
      const seconds = (performance.now() - startedAt) / 1000;
      checkBalances(await balances.read(), deposits);
      await broker.destroyService(service);
      await balances.drop();
      await manager.streams.delete(channel);
      return seconds;
    },
    async close() {
      await broker.stop();
      await raw.close();
    },
  };
}
