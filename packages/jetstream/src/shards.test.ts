/** A log of several shards on a server: its making, its refusals, and its take-overs. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { shardOfKey, type InputDraft, type Log } from "@troupe/core/log";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let client: NatsConnection;
let manager: JetStreamManager;
let logs: Log[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
  manager = await jetstreamManager(client);
});
afterEach(async () => {
  await Promise.all(logs.map((log) => log.close()));
  logs = [];
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

async function open(namespace: string, options: object = {}): Promise<Log> {
  const log = await connectLog({ servers: server.url, namespace, ...options });
  logs.push(log);
  return log;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** A key in each shard. */
const keysOf = (log: Log): readonly string[] =>
  range(log.shards).map(
    (shard) =>
      range(1000)
        .map(String)
        .find((key) => shardOfKey(log, key) === shard) ?? "",
  );
const draftTo = (key: string, id: string): InputDraft => ({
  address: { kind: "agent", name: "book", key },
  metadata: { id, message: "note" },
  payload: Buffer.from(JSON.stringify({ id })),
});

test("each shard is a stream with its partitions, of one log; one shard is what it always was", async () => {
  const log = await open("four", { partitions: 8, shards: 4 });
  const configs = await Promise.all(
    range(4).map(async (shard) => (await manager.streams.info(`four-${shard}`)).config),
  );
  expect(configs.map(({ subjects }) => subjects)).toEqual(
    range(4).map((shard) => [`four.${shard}.>`, `four.${shard + 4}.>`]),
  );
  expect(new Set(configs.map(({ metadata }) => metadata?.["troupe-log"]))).toEqual(
    new Set([log.id]),
  );
  await open("one");
  const { config } = await manager.streams.info("one-0");
  const own = Object.keys(config.metadata ?? {}).filter((key) => key.startsWith("troupe"));
  expect(own.toSorted()).toEqual(["troupe-log", "troupe-partitions"]);
  await expect(manager.streams.info("one-1")).rejects.toThrow("not found");
});

test("whoever comes later takes what there is, and another number of shards is refused", async () => {
  const first = await open("kept", { partitions: 8, shards: 2 });
  const later = await open("kept");
  expect([later.partitions, later.shards, later.id]).toEqual([8, 2, first.id]);
  const wrong = { code: "stream-mismatch", message: /one of 2 shards and not of 4/ };
  await expect(open("kept", { shards: 4 })).rejects.toMatchObject({ code: wrong.code });
  await expect(open("kept", { shards: 4 })).rejects.toThrow(wrong.message);
  const odd = open("odd", { partitions: 10, shards: 4 });
  await expect(odd).rejects.toMatchObject({ code: "definition" });
  await expect(manager.streams.info("odd-0")).rejects.toThrow("not found");
});

test("a stream of another log is not taken for a shard", async () => {
  await open("mine", { partitions: 4, shards: 2 });
  const { config } = await manager.streams.info("mine-1");
  await manager.streams.delete("mine-1");
  const metadata = { ...config.metadata, "troupe-log": "another001" };
  await manager.streams.add({ ...config, metadata });
  await expect(open("mine")).rejects.toThrow(/is not the shard 1 of 2 of the log/);
});

test("several relays at once take over each message once, and clear the outbox", async () => {
  const log = await open("busy", { partitions: 4, shards: 2 });
  const others = await Promise.all(range(3).map(() => open("busy")));
  const onInput = (): void => undefined;
  for (const each of [log, ...others])
    each.read({ source: "unroutable", after: 0, credit: 100, onInput });
  const [from = "", to = ""] = keysOf(log);
  const record = Buffer.from("x");
  let revision = 0;
  for (const round of range(60)) {
    const outgoing = range(5).map((i) => draftTo(to, `${round}.${i}`));
    const turn = { agent: { type: "book", key: from }, record, outgoing };
    [revision = 0] = await log.commit([{ ...turn, expectedRevision: revision }]);
  }
  const agent = { type: "book", key: to };
  const inputs = [];
  for (let after = 0; ;) {
    const page = await log.inputsOf(agent, [], after, Number.MAX_SAFE_INTEGER, { firm: true });
    if (page.length === 0) break;
    inputs.push(...page);
    after = page.at(-1)?.position ?? after;
  }
  const expected = range(60).flatMap((round) => range(5).map((i) => `${round}.${i}`));
  expect(inputs.map(({ metadata }) => metadata.id)).toEqual(expected);
  const left = async (): Promise<unknown> => {
    const { state } = await manager.streams.info("busy-0", { subjects_filter: "busy.0.out.1" });
    return state.subjects ?? {};
  };
  await expect.poll(left, { timeout: 20_000 }).toEqual({});
});

test("where nobody relays, who reads firmly takes over", async () => {
  const log = await open("quiet", { partitions: 4, shards: 2 });
  const [from = "", to = ""] = keysOf(log);
  const outgoing = [draftTo(to, "sent")];
  const agent = { type: "book", key: from };
  await log.commit([{ agent, expectedRevision: 0, record: Buffer.from("x"), outgoing }]);
  const read = (firm: boolean): Promise<readonly unknown[]> =>
    log.inputsOf({ type: "book", key: to }, [], 0, Number.MAX_SAFE_INTEGER, { firm });
  expect(await read(false)).toHaveLength(0);
  expect(await read(true)).toHaveLength(1);
  expect(await read(true)).toHaveLength(1);
});

/** Files of the server that have this text. */
async function filesWith(text: string): Promise<readonly string[]> {
  const entries = await readdir(server.storeDir, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path).catch(() => Buffer.alloc(0));
    if (content.includes(text)) found.push(path);
  }
  return found;
}

test("what was taken over leaves no byte in the outbox, so it can be erased", async () => {
  const log = await open("bytes", { partitions: 4, shards: 2 });
  log.read({ source: "unroutable", after: 0, credit: 100, onInput: () => undefined });
  const [from = "", to = ""] = keysOf(log);
  const secret = "Quetzalcoatl";
  const outgoing = [draftTo(to, secret)];
  const agent = { type: "book", key: from };
  await log.commit([{ agent, expectedRevision: 0, record: Buffer.from("x"), outgoing }]);
  const part = { kind: "inputs", agent: { type: "book", key: to } } as const;
  await log.inputsOf(part.agent, [], 0, Number.MAX_SAFE_INTEGER, { firm: true });
  await log.destroy(part, Infinity);
  await expect.poll(() => filesWith(secret), { timeout: 20_000 }).toEqual([]);
});
