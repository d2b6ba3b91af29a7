/** Three replicas: members are killed while foreign messages are acknowledged and taken in. */
import { connect as dial, headers, type NatsConnection } from "@nats-io/transport-node";
import { expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsCluster, type NatsCluster } from "./server/index.ts";

const patience = { timeout: 60_000 };
const numbers = Array.from({ length: 300 }, (_, n) => String(n));

/** As a careful foreign client does: the same id until it is acknowledged. */
async function publish(client: NatsConnection, n: string): Promise<void> {
  const said = headers();
  said.set("Nats-Msg-Id", n);
  const options = { headers: said, timeout: 2000 };
  for (;;) {
    const answer = await client.request("troupe.agent.account.alice", n, options).then(
      (reply) => reply.json<{ readonly error?: unknown }>(),
      (error: unknown) => ({ error }),
    );
    if (answer.error === undefined) return;
  }
}

async function killInTurn(cluster: NatsCluster, isDone: () => boolean): Promise<void> {
  for (const member of [...cluster.servers, ...cluster.servers]) {
    if (isDone()) return;
    await member.kill();
    await member.restart();
  }
}

test(
  "what a foreign client was told is stored is an input, once and in order",
  { timeout: 120_000 },
  async () => {
    await using cluster = await startNatsCluster({ size: 3 });
    const servers = cluster.urls;
    const log = await connectLog({ servers, replicas: 3, partitions: 1, readerHeartbeatMs: 500 });
    const other = await connectLog({ servers, readerHeartbeatMs: 500 });
    const seen: string[] = [];
    const onInput = ({ payload }: { readonly payload: Uint8Array }): void =>
      void seen.push(Buffer.from(payload).toString());
    log.read({ source: 0, after: 0, credit: 10_000, onInput });
    for (const relay of [log, other]) {
      relay.read({ source: "unroutable", after: 0, credit: 10, onInput: () => undefined });
    }
    const client = await dial({ servers: [...servers], maxReconnectAttempts: -1 });
    let isDone = false;
    const publishing = (async () => {
      for (const n of numbers) await publish(client, n);
      isDone = true;
    })();
    await Promise.all([publishing, killInTurn(cluster, () => isDone)]);
    await expect.poll(() => seen.length, patience).toBeGreaterThanOrEqual(numbers.length);
    expect(seen).toEqual(numbers);
    await client.close();
    await Promise.all([log.close(), other.close()]);
  },
);
