/** The whole port once, on a real server: the first thing to run when something is broken. */
import type { Input, Presence } from "@troupe/core";
import { expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer } from "./server/index.ts";

const agent = { type: "account", key: "alice" };

test("a message is accepted, read, handled, journalled and answered", async () => {
  await using server = await startNatsServer();
  const log = await connectLog({ servers: server.url, name: "smoke" });
  const inputs: Input[] = [];
  const heard: Presence[] = [];
  const replies: string[] = [];
  log.onPresence((presence) => heard.push(presence));
  log.onReply((replyTo, payload) => replies.push(`${replyTo} ${Buffer.from(payload).toString()}`));
  const replyTo = log.replyAddress();

  const accepted = await log.accept({
    address: { kind: "agent", name: agent.type, key: agent.key },
    metadata: { id: "m1", message: "deposit", replyTo, callers: ["a/b c", "d/e,f"] },
    payload: Buffer.from("{}"),
  });
  const readers = Array.from({ length: log.partitions }, (_, source) =>
    log.read({ source, after: 0, credit: 10, onInput: (input) => inputs.push(input) }),
  );
  await expect.poll(() => inputs.length).toBe(1);
  expect(inputs[0]?.position).toBe(accepted.position);
  expect(inputs[0]?.address).toEqual({ kind: "agent", name: "account", key: "alice" });
  expect(inputs[0]?.metadata.callers).toEqual(["a/b c", "d/e,f"]);

  const [first] = await log.commit([
    { agent, expectedRevision: 0, record: Buffer.from("one"), outgoing: [] },
  ]);
  const positions = await log.commit([
    { agent, expectedRevision: first ?? 0, record: Buffer.from("two"), outgoing: [] },
    { agent, expectedRevision: "chained", record: Buffer.from("three"), outgoing: [] },
  ]);
  const journal = await log.journal(agent, 0);
  expect(journal.map((entry) => Buffer.from(entry.record).toString())).toEqual([
    "one",
    "two",
    "three",
  ]);
  expect(journal.map((entry) => entry.revision)).toEqual([first, ...positions]);

  log.announce({ worker: "w1", leaving: false, holds: { account: [1, 2] } });
  log.reply(inputs[0]?.metadata.replyTo ?? "", Buffer.from("done"));
  await expect.poll(() => heard).toHaveLength(1);
  await expect.poll(() => replies).toEqual([`${replyTo} done`]);
  await Promise.all(readers.map((reader) => reader.stop()));
  await log.close();
});
