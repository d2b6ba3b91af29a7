/**
 * The contract suites' harness on a real server; many may share one, each in a namespace of its
 * own.
 */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { partitionCountDefault, shardOfKey, type Log } from "@troupe/core";
import type { LogHarness } from "@troupe/core/testing/contract";

import { connectLog } from "./connect-log.ts";
import { subjects } from "./subjects.ts";
import type { NatsServer } from "./server/index.ts";

export function contractHarness(server: NatsServer, namespace: string, shards = 1): LogHarness {
  const logs: Log[] = [];
  const connect = async (): Promise<Log> => {
    const log = await connectLog({
      servers: server.url,
      namespace,
      name: "contract",
      // What a reader passed is said with its heartbeats.
      readerHeartbeatMs: 400,
      shards,
      ingressBytesMax: 16 * 1024 * 1024,
    });
    logs.push(log);
    return log;
  };
  // Checks of the log alone have no worker that takes foreign messages in.
  const relay = onlyOnce(async () => {
    const log = await connect();
    log.read({ source: "misfits", after: 0, credit: 1000, onInput: () => undefined });
  });
  const connected = async (): Promise<Log> => {
    if (shards > 1) await relay();
    return connect();
  };
  const publish = async (subject: string, payload: Uint8Array): Promise<void> => {
    await relay();
    const client = await dial({ servers: server.url });
    const { seq } = (await client.request(subject, payload)).json<{ readonly seq: number }>();
    await untilTaken(client, namespace, seq);
    await client.close();
    await settled(logs[0]);
  };
  return {
    // Checks run side by side on one server; on a busy machine a backlog of thousands takes long.
    patienceMs: 25_000,
    shards,
    connect: connected,
    publishForeign: (kind, name, token, payload) =>
      publish(`${namespace}.${kind}.${name}.${token}`, payload),
    publishMisfit: () => publish(`${namespace}.topic.too.many.tokens`, Buffer.from("misfit")),
    restart: () => server.restart(),
    beginOutage: async () => {
      await server.kill();
      return () => server.restart();
    },
    stop: async () => {
      await Promise.all(logs.map((log) => log.close()));
    },
  };
}

/** What the first shard took for the others has arrived there. */
async function settled(log: Log | undefined): Promise<void> {
  if (log === undefined) return;
  const keys = Array.from({ length: 64 }, (_, key) => String(key));
  for (let shard = 1; shard < log.shards; shard++) {
    const key = keys.find((each) => shardOfKey(log, each) === shard) ?? "";
    const last = Number.MAX_SAFE_INTEGER;
    await log.inputsOf({ type: "any", key }, [], 0, last, { firm: true });
  }
}

/** Resolves when the log has taken the ingress up to this sequence. */
async function untilTaken(
  client: NatsConnection,
  namespace: string,
  sequence: number,
): Promise<void> {
  const { stream, taken } = subjects(namespace, partitionCountDefault);
  const request = JSON.stringify({ last_by_subj: taken });
  for (;;) {
    const answer = await client.request(`$JS.API.STREAM.MSG.GET.${stream}`, request);
    const { message } = answer.json<{ readonly message?: { readonly data: string } }>();
    const marker = Buffer.from(message?.data ?? "", "base64").toString();
    if (message !== undefined && (JSON.parse(marker) as { sequence: number }).sequence >= sequence)
      return;
  }
}

function onlyOnce(begin: () => Promise<void>): () => Promise<void> {
  let begun: Promise<void> | undefined;
  return () => (begun ??= begin());
}
