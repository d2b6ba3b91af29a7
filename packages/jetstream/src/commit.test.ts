/** Commits whose answer never comes, and their leftovers (I3, I5). */
import { TroupeError } from "@troupe/core";
import type { InputDraft, Log, TurnCommit } from "@troupe/core/log";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let namespaces = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

function open(): Promise<Log> {
  return connectLog({ servers: server.url, namespace: `commit${++namespaces}` });
}

function turn(key: string, expectedRevision: number | "chained", outgoing = 0): TurnCommit {
  const drafts = Array.from({ length: outgoing }, (_, i): InputDraft => {
    const address = { kind: "agent", name: "account", key: `${key}-${i}` } as const;
    return { address, metadata: {}, payload: Buffer.alloc(1000) };
  });
  const record = Buffer.from(`turn of ${key}`);
  return { agent: { type: "account", key }, expectedRevision, record, outgoing: drafts };
}

async function journalLength(log: Log, key: string): Promise<number> {
  const agent = { type: "account", key };
  const [first, ...others] = await log.journal(agent, 0);
  if (first === undefined) return 0;
  return 1 + others.length + (await log.journal(agent, first.revision)).length;
}

const codeOf = (error: unknown): string => (error instanceof TroupeError ? error.code : "other");

test.each([0, 200])(
  "a kill during commits with %i messages each stores all or nothing",
  async (outgoing) => {
    const log = await open();
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    const outcomes = keys.map((key) =>
      log.commit([turn(key, 0, outgoing)]).then(() => "stored", codeOf),
    );
    await outcomes[0];
    await server.kill();
    const settled = await Promise.all(outcomes);
    await server.restart();
    await expect.poll(() => journalLength(log, "key-0"), { timeout: 10_000 }).toBe(1);
    const possible = ["stored 1", "log-unavailable 0", "log-unavailable 1"];
    for (const [i, key] of keys.entries()) {
      const records = await journalLength(log, key);
      expect(possible).toContain(`${settled[i]} ${records}`);
      expect(await sentBy(log, key)).toBe(records * outgoing);
    }
    await log.close();
  },
);

/** Number of the messages of a turn that are on the log. */
async function sentBy(log: Log, key: string): Promise<number> {
  let count = 0;
  for await (const entry of log.follow({
    from: 1,
    untilNow: true,
    topics: [],
    types: ["account"],
  })) {
    if (entry.kind === "input" && entry.input.address.key.startsWith(`${key}-`)) count++;
  }
  return count;
}

test("a conflict names the agents and is retryable", async () => {
  const log = await open();
  await log.commit([turn("alice", 0)]);
  const error = { code: "revision-conflict", retryable: true };
  await expect(log.commit([turn("alice", 0)])).rejects.toMatchObject(error);
  await expect(log.commit([turn("bob", 0), turn("alice", 0)])).rejects.toThrow("account/alice");
  await log.close();
});

test("many batches at once are all stored", async () => {
  const log = await open();
  const commits = Array.from({ length: 120 }, (_, i) => log.commit([turn(`key-${i}`, 0, 20)]));
  const revisions = (await Promise.all(commits)).flat();
  expect(new Set(revisions).size).toBe(120);
  await log.close();
});
