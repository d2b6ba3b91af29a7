/** Leftovers of a person in the files of a real server. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { connect as dial } from "@nats-io/transport-node";
import { agent, memoryModel, memorySink, personal, projection, topic } from "@troupe/core";
import type { Troupe } from "@troupe/core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";

import { connect } from "./connect.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";
import { subjects } from "./subjects.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(async () => {
  await server.stop();
});

/** Nowhere else on this disk. */
const secret = "Quetzalcoatl-Xylophone";

const remarks = topic("remarks", z.object({ text: z.string() }));

const customer = agent("customer")
  .state<readonly string[]>([])
  .event("said", z.string(), (all, text) => [...all, text])
  .on("say", z.string(), async (ctx, text) => {
    await ctx.step("weigh", text, async () => text);
    ctx.emit.said(text);
    return text;
  })
  .on("remind", z.string(), (ctx, text) => void ctx.after(3_600_000).say(text))
  .on("fail", z.string(), (_, text) => {
    throw new Error(text);
  })
  .on("look", z.object({}), (ctx) => ctx.state)
  .subscribe(remarks, (ctx, { text }) => ctx.emit.said(text));

const said = projection(
  "said",
  memoryModel(() => new Map<string, number>()),
)
  .on(customer, "said", (model, _, { agent: { key } }) => {
    model.set(key, (model.get(key) ?? 0) + 1);
  })
  .onErased(customer, (model, { agent: { key } }) => void model.delete(key));

it(
  "nothing, after an erasure under load; the others lose nothing",
  { timeout: 60_000 },
  async () => {
    const namespace = "erasure.agent";
    await using troupe = await connect(server.url, { namespace });
    await troupe.work(customer, { snapshotTurns: 5, retry: { attemptsMax: 1 } });
    const sink = memorySink();
    const running = await troupe.project(said, sink);
    await live(troupe, namespace);
    await vi.waitFor(async () => expect(await filesWith(secret)).not.toEqual([]));
    const before = await state(troupe, "42");

    const load = new AbortController();
    const sent = keepSending(troupe, load.signal);
    const { done, parts } = await troupe.erase(customer, "42", { reason: "a test" });
    load.abort();
    const counts = await sent;

    expect(before.length).toBeGreaterThan(10);
    expect(done).toBe(true);
    for (const part of ["journal", "messages", "publications on remarks", "dead letters"]) {
      expect(parts).toContainEqual(expect.objectContaining({ part, count: expect.any(Number) }));
    }
    expect(await state(troupe, "42")).toEqual([]);
    await vi.waitFor(async () => expect(await filesWith(secret)).toEqual([]), { timeout: 20_000 });
    for (const [key, count] of counts) expect(await state(troupe, key)).toHaveLength(count);
    await running.caughtUp();
    expect(sink.read(said).get("42")).toBeUndefined();
    expect(sink.read(said).get("other-1")).toBe(counts.get("other-1"));
    // Also when the server has read its files again.
    await server.restart();
    await vi.waitFor(async () => expect(await state(troupe, "42")).toEqual([]), {
      timeout: 20_000,
    });
    expect(await filesWith(secret)).toEqual([]);
  },
);

it("no key, after the key was erased; and nothing that it sealed before was ever plain", async () => {
  const namespace = "erasure.key";
  const note = personal(z.object({ text: z.string() }), { fields: { text: "(erased)" } });
  const diary = agent("diary")
    .state<readonly string[]>([])
    .event("noted", note, (all, { text }) => [...all, text])
    .on("note", note, async (ctx, message) => {
      await ctx.step("weigh", message.text, async (text) => text);
      ctx.emit.noted(message);
      return message.text;
    })
    .on("look", z.object({}), (ctx) => ctx.state);
  await using troupe = await connect(server.url, { namespace });
  await troupe.work(diary, { snapshotTurns: 1 });
  const sealed = `${secret} sealed`;
  expect(await troupe.agent(diary, "42").note({ text: sealed })).toBe(sealed);
  const key = await storedKey(namespace);
  await vi.waitFor(async () => expect(await filesWith(key)).toHaveLength(1));
  expect(await filesWith(sealed)).toEqual([]);

  expect(await troupe.eraseKey("diary/42")).toBe(true);

  await vi.waitFor(async () => expect(await filesWith(key)).toEqual([]));
  await vi.waitFor(async () => {
    expect(await troupe.agent(diary, "42").look({})).toEqual(["(erased)"]);
  });
});

/** A life of customer/42: messages, a foreign publication, a timer, a dead letter, a snapshot. */
async function live(troupe: Troupe, namespace: string): Promise<void> {
  const fortyTwo = troupe.agent(customer, "42");
  for (let turn = 0; turn < 12; turn++) await fortyTwo.say(`${secret} ${turn}`);
  await fortyTwo.remind(secret);
  await troupe.send(customer, "42").fail(secret);
  await troupe.publish(remarks, "42", { text: secret });
  const foreign = await dial({ servers: server.url });
  const payload = JSON.stringify({ text: `${secret} from elsewhere` });
  await foreign.request(`${namespace}.topic.remarks.42`, payload);
  await foreign.close();
  await vi.waitFor(async () => expect(await state(troupe, "42")).toHaveLength(14));
}

async function state(troupe: Troupe, key: string): Promise<readonly string[]> {
  return troupe.agent(customer, key).look({});
}

/**
 * Messages for others until the signal comes, eight at a time; returns the number that each got.
 */
async function keepSending(
  troupe: Troupe,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const send = async (key: string): Promise<void> => {
    do {
      await troupe.agent(customer, key).say("nothing special");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    } while (!signal.aborted);
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => send(`other-${index}`)));
  return counts;
}

/** The bytes of the only key of a person in the key stream. */
async function storedKey(namespace: string): Promise<Buffer> {
  const { keyStream } = subjects(namespace, 16);
  const client = await dial({ servers: server.url });
  const request = JSON.stringify({ seq: 2 });
  const answer = await client.request(`$JS.API.STREAM.MSG.GET.${keyStream}`, request);
  await client.close();
  const { message } = answer.json<{ readonly message: { readonly data: string } }>();
  const bytes = Buffer.from(message.data, "base64");
  // Behind the format and the id: two bytes of header, then the key.
  const at = bytes.indexOf(Buffer.from([0xc4, 32]));
  return bytes.subarray(at + 2, at + 34);
}

/** Files of the server in which these bytes are. */
async function filesWith(bytes: Buffer | string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await readdir(server.storeDir, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path).catch(() => Buffer.alloc(0));
    if (content.includes(bytes)) found.push(path);
  }
  return found;
}
