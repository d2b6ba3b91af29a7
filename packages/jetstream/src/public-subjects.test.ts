/**
 * Any NATS client can publish: the server adds the partition, and agrees with us on which one it
 * is.
 */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { keyToToken, partitionOfToken, type Input, type Log } from "@troupe/core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog, subjects as subjectsOf } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let client: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

interface Seen {
  readonly source: number | "misfits";
  readonly input: Input;
}

function readAll(log: Log): Seen[] {
  const seen: Seen[] = [];
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  for (const source of [...partitions, "misfits"] as const) {
    log.read({ source, after: 0, credit: 1000, onInput: (input) => seen.push({ source, input }) });
  }
  return seen;
}

const keys = ["alice", "alice@example.com", "a b", "größe", "日本語", "100%", ...numbered(60)];

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key-${i}`);
}

test.each(["troupe", "acme.support.eu"])("in %s every key has one partition", async (namespace) => {
  const log = await connectLog({ servers: server.url, namespace });
  const subjects = subjectsOf(namespace);
  const seen = readAll(log);
  for (const key of keys) {
    await client.request(subjects.topic("inquiries", key), `{"from":"foreign"}`);
    await client.request(subjects.agent({ type: "account", key }), "{}");
    const address = { kind: "topic", name: "inquiries", key } as const;
    await log.accept({ address, metadata: {}, payload: Buffer.from(`{"from":"us"}`) });
  }
  await expect.poll(() => seen.length).toBe(keys.length * 3);
  for (const { source, input } of seen) {
    expect(input.fault).toBeUndefined();
    expect(source).toBe(partitionOfToken(keyToToken(input.address.key), log.partitions));
  }
  await log.close();
});

test("misfits are handed over in log order, with a fault, and in no partition", async () => {
  const namespace = "misfits";
  const log = await connectLog({ servers: server.url, namespace });
  const seen = readAll(log);
  const rest = ["topic.a.b.c", "agent.x", "topic.lonely", "agent.a.b.c.d", "topic.a.b.c"];
  for (const subject of [...rest, ...rest, ...rest])
    await client.request(`${namespace}.${subject}`, "{}");
  await expect.poll(() => seen.length).toBe(rest.length * 3);
  expect(seen.map(({ input }) => input.position)).toEqual(seen.map((_, index) => index + 1));
  for (const { source, input } of seen) {
    expect(source).toBe("misfits");
    expect(input.fault?.code).toBe("invalid-key");
  }
  await log.close();
});

test("a message on an internal subject that the transform moves does no harm", async () => {
  const log = await connectLog({ servers: server.url, namespace: "odd" });
  const seen = readAll(log);
  await client.request("odd.0.journal.account", "{}");
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]?.input.fault?.code).toBe("invalid-key");
  await log.close();
});
