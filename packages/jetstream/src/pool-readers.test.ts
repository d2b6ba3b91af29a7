/** Messages for others that a worker of few types gets: none, or only while it catches up. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial } from "@nats-io/transport-node";
import { agent, topic } from "@troupe/core";
import type { Input, Log } from "@troupe/core/log";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { connect, connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

const news = topic("news", z.string());
const patience = { timeout: 20_000 };

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(async () => {
  await server?.stop();
});

function clerk(type: string) {
  return agent(type)
    .event("noted", z.string(), (state) => state)
    .on("note", z.string(), (ctx, text) => ctx.emit.noted(text));
}

/** Messages for agents that nobody hosts here. */
function flood(log: Log, count: number): Promise<unknown> {
  const accept = (i: number): Promise<unknown> =>
    log.accept({
      address: { kind: "agent", name: "busy", key: `key-${i % 7}` },
      metadata: { message: "note", contentType: "application/json" },
      payload: Buffer.from(JSON.stringify(`${i}`)),
    });
  return Promise.all(Array.from({ length: count }, (_, i) => accept(i)));
}

const plain = clerk("plain");
const reporter = clerk("reporter").subscribe(news, (ctx, text) => ctx.emit.noted(text));

/** The filters of the consumers on the log's stream, and the messages that these were given. */
async function consumersOf(namespace: string) {
  const nats = await dial({ servers: server.url });
  onTestFinished(() => nats.close());
  const { consumers } = await jetstreamManager(nats);
  const all = await Array.fromAsync(consumers.list(`${namespace}-0`));
  const filters = all.map(({ config }) => config.filter_subjects ?? [config.filter_subject ?? ""]);
  const given = all.map(({ delivered }) => delivered.consumer_seq);
  return { filters, given: given.reduce((sum, count) => sum + count, 0) };
}

test("a pool of one type is given its own messages only, also what lay there before", async () => {
  const namespace = "one";
  const log = await connectLog({ servers: server.url, namespace, partitions: 2 });
  onTestFinished(() => log.close());
  await flood(log, 300);
  await using pool = await connect(server.url, { namespace });
  await pool.work(plain);
  const asked = ["first", "second"].map(async (text) => {
    await flood(log, 300);
    await pool.agent(plain, "alice").note(text);
  });
  await Promise.all(asked);
  const { filters, given } = await consumersOf(namespace);
  const own = filters.flat().filter((filter) => filter.includes(".in."));
  expect(own.toSorted()).toEqual(["one.0.in.agent.plain.>", "one.1.in.agent.plain.>"]);
  expect(given).toBe(2);
});

test("a pool of types with topics reads only theirs once it is where the log is", async () => {
  const namespace = "some";
  const log = await connectLog({ servers: server.url, namespace, partitions: 1 });
  onTestFinished(() => log.close());
  await using pool = await connect(server.url, { namespace });
  await pool.work(reporter);
  const wanted = ["some.0.in.agent.reporter.>", "some.0.in.topic.news.>"];
  const narrow = async (): Promise<void> => {
    await flood(log, 200);
    await pool.publish(news, "alice", "something");
    const { filters } = await consumersOf(namespace);
    expect(filters.map((some) => some.toSorted())).toContainEqual(wanted);
  };
  await vi.waitFor(narrow, patience);
  const before = (await consumersOf(namespace)).given;
  await flood(log, 200);
  await pool.publish(news, "alice", "the last one");
  await vi.waitFor(async () => {
    const turns = await Array.fromAsync(pool.turns("reporter", "alice"));
    expect(turns.at(-1)?.record.events[0]?.data).toBe("the last one");
  }, patience);
  expect((await consumersOf(namespace)).given - before).toBe(1);
});

test("a purge of one topic costs a reader of several filters nothing else", async () => {
  const namespace = "purged";
  const log = await connectLog({ servers: server.url, namespace, partitions: 1 });
  onTestFinished(() => log.close());
  const read: string[] = [];
  const wanted = { types: ["reporter"], topics: ["news"] };
  const onInput = ({ address, payload }: Input): void => {
    if (address.name !== "busy") read.push(Buffer.from(payload).toString());
  };
  const reader = log.read({ source: 0, ...wanted, after: 0, credit: 1000, onInput });
  onTestFinished(() => reader.stop());
  const accept = (kind: "agent" | "topic", name: string, text: string) =>
    log.accept({
      address: { kind, name, key: "alice" },
      metadata: {},
      payload: Buffer.from(text),
    });
  const narrow = async (): Promise<void> => {
    await flood(log, 200);
    await accept("topic", "news", "early");
    expect((await consumersOf(namespace)).filters[0]).toHaveLength(2);
  };
  await vi.waitFor(narrow, patience);
  await flood(log, 1000 - read.length);
  const { last } = await log.end();
  for (const text of ["1", "2", "3"]) await accept("agent", "reporter", text);
  const nats = await dial({ servers: server.url });
  onTestFinished(() => nats.close());
  const { streams } = await jetstreamManager(nats);
  await streams.purge("purged-0", { filter: "purged.*.in.topic.news.>", seq: last });
  await accept("topic", "news", "late");
  reader.grant(1000, 1_000_000);
  await vi.waitFor(() => expect(read.slice(-4)).toEqual(["1", "2", "3", "late"]), patience);
});
