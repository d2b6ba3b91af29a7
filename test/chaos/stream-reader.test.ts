import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { copyAgent, tallyAgent } from "../e2e/tally/tally.ts";
import { Findings } from "./findings.ts";
import { JournalCheck } from "./journal-check.ts";
import { readStored } from "./stream-reader.ts";
import { TallyRules } from "./tally-rules.ts";

const tally = tallyAgent();
const count = 10;
let server: NatsServer;
let client: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
});

/** A tally and its copy that were told some numbers and handled all. */
async function play(namespace: string): Promise<void> {
  await using troupe = await connect(server.url, { namespace });
  await troupe.work([tally, copyAgent]);
  for (let n = 1; n <= count; n++) await troupe.agent(tally, "alice").add({ n, value: n });
  await troupe.agent(tally, "alice").report({});
  await troupe.agent(copyAgent, "alice").report({});
}

async function checked(namespace: string): Promise<Findings> {
  const findings = new Findings();
  const rules = new TallyRules(findings);
  const check = new JournalCheck(findings, rules);
  for await (const entry of readStored([server.url], namespace)) check.see(entry);
  check.end();
  rules.expectTold("tally/alice", count);
  rules.expectCopied("alice", count);
  return findings;
}

/** The number of the last record in a journal, and the record. */
async function lastRecord(namespace: string): Promise<{ seq: number; data: Uint8Array }> {
  const manager = await jetstreamManager(client);
  const last_by_subj = `${namespace}.7.journal.copy.alice`;
  const stored = await manager.streams.getMessage(`${namespace}-0`, { last_by_subj });
  if (stored === null) throw new Error(`There is nothing at ${last_by_subj}.`);
  return stored;
}

test("a stream that nobody touched is right", async () => {
  await play("untouched");
  expect(await checked("untouched")).toEqual(new Findings());
});

test("a turn that was deleted from the stream is lost", async () => {
  await play("deleted");
  const { seq } = await lastRecord("deleted");
  const manager = await jetstreamManager(client);
  await manager.streams.deleteMessage("deleted-0", seq);
  expect(await checked("deleted")).toMatchObject({ lost: 1, duplicated: 0 });
});

test("a turn that was stored a second time is duplicated", async () => {
  await play("doubled");
  const { data } = await lastRecord("doubled");
  await jetstream(client).publish("doubled.7.journal.copy.alice", data);
  expect(await checked("doubled")).toMatchObject({ lost: 0, duplicated: 1 });
});
