/**
 * @horizon-republic/nestjs-jetstream: commands, which are acknowledged after their handler and
 * answered; its events are acknowledged before the handler runs. It keeps no state and runs
 * messages at once; balances and their order come from `kv-balances.ts`.
 */
import {
  getJetStreamTransportToken,
  JetstreamServerModule,
} from "@horizon-republic/nestjs-jetstream";
import type { JetstreamTransport } from "@horizon-republic/nestjs-jetstream";
import { Controller } from "@nestjs/common";
import type { DynamicModule } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Ctx, MessagePattern, Payload } from "@nestjs/microservices";
import { AckPolicy, connect, headers, JSONCodec, RetentionPolicy } from "nats";
import type { JsMsg, NatsConnection } from "nats";
import { from } from "rxjs";
import type { Observable } from "rxjs";

import { amount, checkBalances, checkReplySum, keyOf, text } from "../peer.ts";
import type { OpenPeer } from "../peer.ts";
import { inParallel } from "./in-parallel.ts";
import { installedVersion } from "./installed-version.ts";
import { openKvBalances } from "./kv-balances.ts";
import type { KvBalances } from "./kv-balances.ts";

interface Deposit {
  readonly key: string;
  readonly amount: number;
  readonly text: string;
}

/** Context that the transport makes. */
interface Context {
  getArgByIndex(index: 0): JsMsg;
}

const maxAckPending = 1000;
const json = JSONCodec();

export const open: OpenPeer = async ({ natsUrl }) => {
  const raw = await connect({ servers: natsUrl });
  const manager = await raw.jetstreamManager();
  let rounds = 0;
  return {
    versions: `@horizon-republic/nestjs-jetstream ${installedVersion("@horizon-republic/nestjs-jetstream")}, @nestjs/microservices ${installedVersion("@nestjs/microservices")}, nats ${installedVersion("nats")}`,
    settings: `commands, consumer made beforehand with max_ack_pending ${maxAckPending} (its own is 100); the balance in a key-value bucket of the same broker; messages stored before the clock starts`,
    durability: "JetStream's default sync_interval, as with ours: acknowledged before fsync",
    async round(deposits) {
      const name = `deposits-${process.pid}-${rounds++}`;
      const service = `${name}__microservice`;
      await prepare(raw, service);
      const balances = await openKvBalances(raw, name);
      const replies = sumReplies(raw, deposits);
      await send(raw, `${service}.cmd.deposit`, replies.address, deposits);
      const application = await NestFactory.create(moduleOf(name, natsUrl, balances), {
        logger: false,
      });
      const transport = application.get<JetstreamTransport>(getJetStreamTransportToken(name));
      application.connectMicroservice(transport, { inheritAppConfig: true });
      const startedAt = performance.now();
      await application.startAllMicroservices();
      const sum = await replies.sum;
      const seconds = (performance.now() - startedAt) / 1000;
      checkReplySum(sum, deposits);
      checkBalances(await balances.read(), deposits);
      await application.close();
      await balances.drop();
      for (const kind of ["cmd", "ev"]) await manager.streams.delete(`${service}_${kind}-stream`);
      return seconds;
    },
    async close() {
      await raw.close();
    },
  };
};

/** The stream and the consumer that the transport finds and uses. */
async function prepare(raw: NatsConnection, service: string): Promise<void> {
  const manager = await raw.jetstreamManager();
  const stream = `${service}_cmd-stream`;
  const retention = RetentionPolicy.Workqueue;
  await manager.streams.add({
    name: stream,
    subjects: [`${service}.cmd.>`],
    retention,
    allow_direct: true,
  });
  await manager.consumers.add(stream, {
    durable_name: `${service}_cmd-consumer`,
    filter_subject: `${service}.cmd.>`,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: maxAckPending,
  });
}

/** As its client sends them, but on one connection for all rounds. */
async function send(
  raw: NatsConnection,
  subject: string,
  replyTo: string,
  deposits: number,
): Promise<void> {
  const client = raw.jetstream();
  await inParallel(256, deposits, async (deposit) => {
    const head = headers();
    head.set("correlation-id", `${deposit}`);
    head.set("reply-to", replyTo);
    await client.publish(subject, json.encode({ key: keyOf(deposit), amount, text }), {
      headers: head,
    });
  });
}

function sumReplies(
  raw: NatsConnection,
  count: number,
): { readonly address: string; readonly sum: Promise<number> } {
  const address = `_INBOX.bench.${process.hrtime.bigint().toString(36)}`;
  const { promise, resolve } = Promise.withResolvers<number>();
  let seen = 0;
  let sum = 0;
  const subscription = raw.subscribe(address, {
    callback: (_error, message) => {
      seen += 1;
      sum += Number(json.decode(message.data));
      if (seen < count) return;
      subscription.unsubscribe();
      resolve(sum);
    },
  });
  return { address, sum: promise };
}

/** Decorators without their syntax, which node does not strip. */
function moduleOf(name: string, natsUrl: string, balances: KvBalances): DynamicModule {
  class Accounts {
    // Version 1.0.6 of the transport takes the value of an observable only.
    deposit({ key, amount: added }: Deposit, context: Context): Observable<number> {
      return from(balances.deposit(key, context.getArgByIndex(0).seq, added));
    }
  }
  const method = Object.getOwnPropertyDescriptor(Accounts.prototype, "deposit");
  if (method === undefined) throw new Error("Accounts has no method deposit.");
  Controller()(Accounts);
  MessagePattern("deposit")(Accounts.prototype, "deposit", method);
  Payload()(Accounts.prototype, "deposit", 0);
  Ctx()(Accounts.prototype, "deposit", 1);
  return {
    ...JetstreamServerModule.forRoot({ name, servers: [natsUrl] }),
    controllers: [Accounts],
  };
}
