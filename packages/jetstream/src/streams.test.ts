/** Streams made by several processes at once, and streams that are not ours. */
import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog, subjects as subjectsOf } from "./index.ts";
import { ingressStream } from "./ingress-stream.ts";
import { logStream } from "./log-stream.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let client: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
  manager = await jetstreamManager(client);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

test("ten connections make the streams at once, with different wishes, and agree", async () => {
  const connecting = Array.from({ length: 10 }, (_, i) =>
    connectLog({ servers: server.url, namespace: "race", partitions: 4 + i }),
  );
  const logs = await Promise.all(connecting);
  expect(new Set(logs.map((log) => log.partitions)).size).toBe(1);
  await Promise.all(logs.map((log) => log.close()));
});

test("the partitions of an existing stream win over the option", async () => {
  const first = await connectLog({ servers: server.url, namespace: "existing", partitions: 5 });
  const second = await connectLog({ servers: server.url, namespace: "existing", partitions: 7 });
  expect([first.partitions, second.partitions]).toEqual([5, 5]);
  await Promise.all([first.close(), second.close()]);
});

test("the streams are named after the namespace and never drop a message", async () => {
  const log = await connectLog({ servers: server.url, namespace: "acme.support" });
  const { config } = await manager.streams.info("acme_support-0");
  expect(config).toMatchObject({ allow_msg_schedules: true, retention: "limits", storage: "file" });
  expect(config).toMatchObject({ max_age: 0, max_bytes: -1, max_msgs: -1, allow_atomic: true });
  expect((await manager.streams.info("acme_support-control")).config.max_msgs_per_subject).toBe(1);
  await log.close();
});

test("without createStreams a missing stream is an error that says what to do", async () => {
  const connecting = connectLog({ servers: server.url, namespace: "absent", createStreams: false });
  await expect(connecting).rejects.toThrow("createStreams");
  const log = await connectLog({ servers: server.url, namespace: "present" });
  const other = await connectLog({
    servers: server.url,
    namespace: "present",
    createStreams: false,
  });
  await Promise.all([log.close(), other.close()]);
});

test.each([
  ["all subjects", { subjects: ["mine.0.>"] }],
  ["atomic batches", { allow_atomic: false }],
  ["direct gets", { allow_direct: false }],
  ["timers", { allow_msg_schedules: false, discard: DiscardPolicy.New }],
  ["room without a limit", { max_bytes: 1_000_000 }],
  ["limits retention", { retention: RetentionPolicy.Workqueue }],
  ["its number of partitions", { metadata: {} }],
  [
    "the subjects as they are",
    { subject_transform: { src: "mine.0.in.*", dest: "mine.0.in.1.{{wildcard(1)}}" } },
  ],
])("a stream of that name without %s is refused", async (_, change) => {
  const subjects = subjectsOf("mine", 16);
  const options = {
    createStreams: true,
    partitions: 16,
    replicas: 1,
    ingressBytesMax: 1_000_000,
    ingressMessageBytesMax: 100_000,
  };
  await manager.streams.add({ ...logStream(subjects, options), ...change });
  const connecting = connectLog({ servers: server.url, namespace: "mine" });
  await expect(connecting).rejects.toMatchObject({ code: "stream-mismatch" });
  await manager.streams.delete(subjects.stream);
});

test("subjects that another stream has are refused at once", async () => {
  await manager.streams.add({ name: "other", subjects: ["taken.topic.orders.*"] });
  const connecting = connectLog({ servers: server.url, namespace: "taken" });
  await expect(connecting).rejects.toMatchObject({ code: "stream-mismatch" });
});

test("the ingress is bounded, refuses when it is full, and interprets nothing", async () => {
  const log = await connectLog({ servers: server.url, namespace: "wide", ingressBytesMax: 50_000 });
  const { config } = await manager.streams.info("wide-ingress");
  expect(config).toMatchObject({ max_bytes: 50_000, discard: "new", max_age: 0, storage: "file" });
  expect(config).toMatchObject({ allow_rollup_hdrs: false, allow_direct: false });
  expect(config.subjects).toEqual(["wide.topic.>", "wide.agent.>"]);
  expect(config.max_msg_size).toBe(log.limits.payloadBytesMax);
  await log.close();
});

test.each([
  ["allows roll-ups", { allow_rollup_hdrs: true }],
  ["allows schedules", { allow_msg_schedules: true, discard: DiscardPolicy.Old }],
  ["allows batches", { allow_atomic: true }],
  ["allows times to live", { allow_msg_ttl: true }],
  ["allows counters", { allow_msg_counter: true, discard: DiscardPolicy.Old }],
  ["drops the oldest", { discard: DiscardPolicy.Old }],
  ["drops the old", { max_age: 1_000_000_000, duplicate_window: 1_000_000_000 }],
  ["cannot be purged", { deny_purge: true }],
  ["listens to less", { subjects: ["open.topic.>"] }],
])("an ingress that %s is refused", async (_, change) => {
  const options = { replicas: 1, ingressBytesMax: 1_000_000, ingressMessageBytesMax: 100_000 };
  const { ingressStream: name } = subjectsOf("open", 16);
  await manager.streams.add({ ...ingressStream(subjectsOf("open", 16), options), ...change });
  const connecting = connectLog({ servers: server.url, namespace: "open" });
  await expect(connecting).rejects.toMatchObject({ code: "stream-mismatch" });
  await manager.streams.delete(name);
});

test("an ingress gets less room where the server has less, and that is said", async () => {
  const users = "users: [{ user: app, password: app }]";
  await using small = await startNatsServer({
    extraConfig: [`accounts { A { jetstream: { max_file: 40MB }, ${users} } }`],
  });
  const options = { servers: small.url, user: "app", pass: "app", namespace: "small" };
  const log = await connectLog(options);
  const faults: unknown[] = [];
  log.onFault((what, thrown) => faults.push([what, (thrown as Error).message]));
  expect(faults).toEqual([
    ["making the streams", expect.stringMatching(/has 33554432, and refuses .* ingressBytesMax/)],
  ]);
  await log.close();
});
