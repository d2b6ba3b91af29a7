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
import { shardStream } from "./streams.ts";
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
  [
    "the transform",
    { subject_transform: { src: "mine.*.*.*", dest: "mine.0.in.1.{{wildcard(3)}}" } },
  ],
])("a stream of that name without %s is refused", async (_, change) => {
  const subjects = subjectsOf("mine");
  const options = { createStreams: true, partitions: 16, replicas: 1 };
  await manager.streams.add({ ...shardStream(subjects, options), ...change });
  const connecting = connectLog({ servers: server.url, namespace: "mine" });
  await expect(connecting).rejects.toMatchObject({ code: "stream-mismatch" });
  await manager.streams.delete(subjects.stream);
});

test("subjects that another stream has are refused at once", async () => {
  await manager.streams.add({ name: "other", subjects: ["taken.topic.orders.*"] });
  const connecting = connectLog({ servers: server.url, namespace: "taken" });
  await expect(connecting).rejects.toMatchObject({ code: "stream-mismatch" });
});
