/** Connecting: users that may, targets, and errors when it cannot. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { isNewEnough } from "./server/binary/server-version.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer({
    extraConfig: [
      "authorization { users: [",
      "  { user: admin, password: secret }",
      "  { user: tenant, password: secret, permissions: {",
      '      publish: ["$JS.API.>", "$JS.ACK.>", "tenant.>", "_INBOX.tenant.>"]',
      '      subscribe: ["_INBOX.tenant.>", "tenant.>"] } }',
      "] }",
    ],
  });
});
afterAll(() => server.stop());

test("a user whose inboxes are limited uses an inbox prefix", async () => {
  const log = await connectLog({
    servers: server.url,
    user: "tenant",
    pass: "secret",
    namespace: "tenant",
    inboxPrefix: "_INBOX.tenant",
  });
  const agent = { type: "account", key: "alice" };
  const address = { kind: "agent", name: agent.type, key: agent.key } as const;
  const inputs: number[] = [];
  for (let source = 0; source < log.partitions; source++) {
    log.read({ source, after: 0, credit: 10, onInput: ({ position }) => inputs.push(position) });
  }
  await log.accept({ address, metadata: {}, payload: Buffer.from("{}") });
  await log.commit([{ agent, expectedRevision: 0, record: Buffer.from("one"), outgoing: [] }]);
  expect(await log.journal(agent, 0)).toHaveLength(1);
  await expect.poll(() => inputs).toEqual([1]);
  expect(log.replyAddress()).toMatch(/^_INBOX\.tenant\./);
  await log.close();
});

test("a server that is not there is named within the start time-out", async () => {
  const absent = connectLog({ servers: "nats://127.0.0.1:1", startTimeoutMs: 300 });
  await expect(absent).rejects.toThrow("nats://127.0.0.1:1");
});

test.each(["", "a b", "a.*", ".a", "a..b", "$JS", "_private"])(
  "%j is no namespace",
  async (namespace) => {
    const connecting = connectLog({ servers: server.url, namespace });
    await expect(connecting).rejects.toMatchObject({ code: "definition" });
  },
);

test.each([
  ["2.14.4", true],
  ["2.14.4-RC.1", true],
  ["2.14.10", true],
  ["2.15.0-dev", true],
  ["3.0.0", true],
  ["2.14.3", false],
  ["2.9.25", false],
  ["unknown", false],
])("nats-server %s is supported: %s", (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});
