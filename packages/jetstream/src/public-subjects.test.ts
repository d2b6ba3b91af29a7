/**
 * Any NATS client can publish on the public subjects: its message comes to the partition of its
 * key, once and in order, and all that it said about itself without being able to know it stays
 * behind (I14).
 */
import { connect as dial, headers, type NatsConnection } from "@nats-io/transport-node";
import { keyToToken, partitionOfToken, type Input, type Log } from "@troupe/core/log";
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

const timeout = 5000;

interface Seen {
  readonly source: number | "unroutable";
  readonly input: Input;
}

function readAll(log: Log): Seen[] {
  const seen: Seen[] = [];
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  for (const source of [...partitions, "unroutable"] as const) {
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
  const subjects = subjectsOf(namespace, 16);
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

test("unroutable messages are handed over in log order, with a fault, and in no partition", async () => {
  const namespace = "unroutable";
  const log = await connectLog({ servers: server.url, namespace });
  const seen = readAll(log);
  const bad = ["topic.a.b.c", "agent.x", "topic.lonely", "agent.a.b.c.d", "agent.a.%zz"];
  const names = ["agent._unroutable.x", "topic.~x.y", `agent.${"x".repeat(65)}.y`, "topic.größe.y"];
  const rest = [...bad, ...names];
  for (const subject of [...rest, ...rest]) await client.request(`${namespace}.${subject}`, "{}");
  await expect.poll(() => seen.length).toBe(rest.length * 2);
  const origins = seen.map(({ input: { address } }) =>
    [address.kind, address.name, address.key].filter((part) => part !== "").join("."),
  );
  expect(origins).toEqual([...rest, ...rest]);
  for (const { source, input } of seen) {
    expect(source).toBe("unroutable");
    expect(input.fault?.code).toBe("invalid-key");
    expect(input.metadata.foreign).toBe(true);
  }
  await log.close();
});

/** Headers that a stranger may use. */
const meant: Readonly<Record<string, string>> = {
  "Nats-Msg-Id": "ours@5:ask1",
  "Troupe-Message": "deposit",
  "Content-Type": "application/msgpack",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=b",
};
/** Headers to which the engine or a server gives a meaning where one of us writes them. */
const believed: Readonly<Record<string, string>> = {
  "Troupe-Foreign": "0",
  "Troupe-Id": "ours@5:ask1",
  "Troupe-Sender": "bank/main",
  "Troupe-Causation-Id": "x",
  "Troupe-Correlation-Id": "x",
  "Troupe-Deadline": "1",
  "Troupe-Callers": "account/alice",
  "Troupe-Askers": "_INBOX.x",
  "Troupe-Timer": "tick",
  "Troupe-Topic": "inquiries",
  "Troupe-Unroutable-Code": "x",
  "Nats-Schedule-TTL": "1s",
  "Nats-Schedule-Source": "headers.4.journal.account.bob",
  "Nats-Schedule-Target": "headers.4.journal.account.bob",
  "Nats-Marker-Reason": "Purge",
  "Nats-Batch-Sequence": "1",
  "Nats-Batch-Commit": "1",
  "Nats-Sequence": "1",
  "Nats-Subject": "headers.4.journal.account.bob",
  "Nats-Last-Consumer": "99",
  Status: "100",
};

/**
 * Headers that the server refuses on a stream that allows none of them: each would do harm in the
 * log.
 */
const refused: readonly (readonly [string, string])[] = [
  ["Nats-Rollup", "all"],
  ["Nats-Rollup", "sub"],
  ["Nats-Schedule", "@at 2020-01-01T00:00:00Z"],
  ["Nats-Schedule-Next", "purge"],
  ["Nats-Scheduler", "refused.7.timer.account.alice.tick.1"],
  ["Nats-TTL", "1s"],
  ["Nats-Batch-Id", "one-of-fifty"],
  ["Nats-Incr", "1"],
  ["Nats-Stream-Source", "refused-0 1 > > x"],
  ["Nats-Expected-Last-Sequence", "999"],
];

test.each(refused)("the ingress refuses %s: %s", async (name, value) => {
  const log = await connectLog({ servers: server.url, namespace: "refused" });
  const said = headers();
  said.append(name, value);
  const answer = await client.request("refused.agent.account.eve", "x", { headers: said, timeout });
  expect(answer.json()).toMatchObject({ error: { description: expect.any(String) as string } });
  await log.close();
});

test("an id of a foreign message swallows none of ours, and none of a turn's", async () => {
  const namespace = "ids";
  const log = await connectLog({ servers: server.url, namespace });
  const seen = readAll(log);
  const address = { kind: "agent", name: "account", key: "bob" } as const;
  const said = headers();
  said.append("Nats-Msg-Id", "account@5:ask1");
  await client.request(`${namespace}.agent.account.eve`, "eve", { headers: said, timeout });
  await expect.poll(() => seen.length).toBe(1);
  const metadata = { id: "account@5:ask1" };
  const { duplicate } = await log.accept({ address, metadata, payload: Buffer.from("bob") });
  expect(duplicate).toBe(false);
  await expect.poll(() => seen.length).toBe(2);
  await log.close();
});

test("of its headers only those come along that a stranger may set", async () => {
  const namespace = "headers";
  const log = await connectLog({ servers: server.url, namespace });
  const seen = readAll(log);
  const said = headers();
  for (const [name, value] of Object.entries({ ...meant, ...believed })) said.append(name, value);
  await client.request(`${namespace}.agent.account.eve`, "x", { headers: said, timeout });
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]?.input.fault).toBeUndefined();
  expect(seen[0]?.input.metadata).toEqual({
    foreign: true,
    id: "foreign:ours@5:ask1",
    message: "deposit",
    contentType: "application/msgpack",
    traceparent: meant["traceparent"],
    tracestate: "a=b",
  });
  await log.close();
});

test.each([
  ["a word of the engine's", { "Troupe-Message": "~resume" }, /cannot be the name of a message/],
  ["a journal to reply to", { "Troupe-Reply-To": "odd.4.journal.a.bob" }, /odd\.reply\./],
  ["the server's API to reply to", { "Troupe-Reply-To": "$JS.API.STREAM.PURGE.odd-0" }, /reply/],
  ["our own inbox to reply to", { "Troupe-Reply-To": "_INBOX.x.reply.1" }, /reply address/],
  ["a public subject to reply to", { "Troupe-Reply-To": "odd.agent.a.bob" }, /reply address/],
  ["a wildcard to reply to", { "Troupe-Reply-To": "odd.reply.>" }, /reply address/],
  ["5 KB to reply to", { "Troupe-Reply-To": `odd.reply.${"x".repeat(5000)}` }, /reply address/],
  ["two lines of an id", { "Nats-Msg-Id": "größe" }, /printable/],
  ["a long id", { "Nats-Msg-Id": "x".repeat(257) }, /printable/],
  ["a long name", { "Troupe-Message": "x".repeat(65) }, /name of a message/],
  ["many headers", Object.fromEntries(numbered(3000).map((key) => [key, "x"])), /bytes of headers/],
])("a message with %s is an unroutable message that says so", async (_, lines, says) => {
  const log = await connectLog({ servers: server.url, namespace: "odd" });
  const last = (await client.request("odd.agent.account.last", "x")).json<{ seq: number }>().seq;
  const seen: Input[] = [];
  log.read({ source: "unroutable", after: 0, credit: 1000, onInput: (input) => seen.push(input) });
  const said = headers();
  for (const [name, value] of Object.entries(lines)) said.append(name, value);
  await client.request("odd.agent.account.eve", `${last}`, { headers: said, timeout });
  const ours = (): Input | undefined =>
    seen.find(({ payload }) => Buffer.from(payload).toString() === `${last}`);
  await expect.poll(ours).toBeDefined();
  const { address, fault, metadata } = ours() ?? {};
  expect(address).toEqual({ kind: "agent", name: "account", key: "eve" });
  expect([fault?.code, metadata?.foreign]).toEqual(["foreign-message", true]);
  expect(fault?.message).toMatch(says);
  await log.close();
});
