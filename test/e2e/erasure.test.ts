/**
 * An erasure under load, on a real server: nothing of the customer is found by a search of every
 * stored byte, the others lose nothing, and whoever still has a message of before does nothing.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { createTroupe } from "@troupe/core";
import { keyToToken, partitionOfToken } from "@troupe/core/log";
import type { RunningProjection, Troupe } from "@troupe/core";
import type { LogEntry, LogPart } from "@troupe/core/log";
import type { Erasure, Holding } from "@troupe/core/operate";
import { directoryStore } from "@troupe/core/archive";
import { connect, connectLog, subjects } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { openPostgres, type Postgres } from "@troupe/postgres";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startCustomerWorker } from "./erasure/customer-worker-settings.ts";
import { customer, linesOf, remarks, said, saidForEver } from "./erasure/customer.ts";
import { filesWith } from "./erasure/stored-bytes.ts";
import { overlay } from "@troupe/testing";
import type { Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const namespace = "shop";
const partitions = 2;
/** Each is erased, but for what it is called after. */
const leftOut = ["journal", "inputs", "publications", "dead-letters", "timers", "archive"] as const;
const patience = { timeout: 30_000, interval: 100 };
/** Nowhere else on this disk. */
const secretOf = (key: string): string => `Quetzalcoatl ${key} Xylophone`;

let folder: string;
let server: NatsServer;
let client: NatsConnection;
let troupe: Troupe;
let postgres: Postgres;
let model: RunningProjection;
let forgetful: RunningProjection;
let workers: readonly Program[];
let load: Load;
let archive: string;

const startWorker = (id: string): Promise<Program> =>
  startCustomerWorker({ id, url: server.url, namespace, archive });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-erasure-"));
  archive = join(folder, "archive");
  server = await startNatsServer();
  client = await dial({ servers: server.url });
  const store = directoryStore(archive);
  troupe = await connect(server.url, { namespace, partitions, archive: store, onFault: false });
  workers = [await startWorker("a"), await startWorker("b")];
  postgres = await openPostgres({ url: false, folder: join(folder, "model") });
  model = await troupe.project(said, postgres);
  forgetful = await troupe.project(saidForEver, postgres);
});
afterAll(async () => {
  await troupe?.close();
  await postgres?.close();
  await client?.close();
  for (const worker of workers ?? []) await worker[Symbol.asyncDispose]();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Others say things all the time, one after the other each. */
class Load {
  readonly said = new Map<string, string[]>();
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(keys: number) {
    this.#running = Promise.all(Array.from({ length: keys }, (_, n) => this.#run(`other-${n}`)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(key: string): Promise<void> {
    const all: string[] = [];
    this.said.set(key, all);
    for (let n = 0; !this.#stopped; n++) {
      const text = `nothing special ${n}`;
      await troupe.agent(customer, key, { timeoutMs: 60_000 }).say(text);
      all.push(text);
    }
  }
}

/** A life that leaves something everywhere. */
async function live(key: string): Promise<void> {
  const secret = secretOf(key);
  const agent = troupe.agent(customer, key);
  for (let n = 0; n < 7; n++) await agent.say(`${secret} ${n}`);
  await agent.remind(secret);
  await troupe.send(customer, key).fail(secret);
  await troupe.publish(remarks, key, { text: secret });
  const payload = JSON.stringify({ text: `${secret} from elsewhere` });
  await client.request(`${namespace}.topic.remarks.${key}`, payload);
  await vi.waitFor(async () => expect(await agent.look({})).toHaveLength(9), patience);
}

/** An erasure that leaves one thing out. */
async function eraseWithout(part: (typeof leftOut)[number]): Promise<Erasure> {
  const log = await connectLog({ servers: server.url, namespace });
  const destroy = (which: LogPart, ...rest: [number, object?]): Promise<number> =>
    which.kind === part ? Promise.resolve(0) : log.destroy(which, ...rest);
  const store = part === "archive" ? {} : { archive: directoryStore(archive) };
  const eraser = createTroupe(overlay(log, { destroy }), store);
  try {
    return await eraser.erase(customer, `without-${part}`);
  } finally {
    await eraser.close();
  }
}

/** Finds where something of a customer is: in which files, and in which read models. */
async function found(key: string): Promise<readonly string[]> {
  const secret = secretOf(key);
  const lines = JSON.stringify(await linesOf(postgres, "said"));
  return [
    ...(await filesWith(server.storeDir, secret)),
    ...(await filesWith(archive, secret)),
    ...(lines.includes(secret) ? ["the read model"] : []),
  ];
}

async function ownerOf(key: string): Promise<Program> {
  const partition = partitionOfToken(keyToToken(key), partitions);
  for (const worker of workers) {
    const holdings = (await worker.ask("holdings")) as readonly Holding[];
    if (holdings.some((each) => each.partition === partition)) return worker;
  }
  throw new Error(`Nobody has the partition ${partition}.`);
}

async function kindsIn(key: string): Promise<readonly string[]> {
  const kinds: string[] = [];
  for await (const entry of troupe.follow({ from: 1, untilNow: true })) {
    if (keyOf(entry) === key) kinds.push(entry.kind);
  }
  return kinds;
}

function keyOf(entry: LogEntry): string | undefined {
  if (entry.kind === "input") return entry.input.address.key;
  return (entry.kind === "turn" ? entry.agent : entry.deadLetter.agent)?.key;
}

test("everything of it is found before", async () => {
  const keys = ["whole", ...leftOut.map((part) => `without-${part}`)];
  await Promise.all(keys.map(live));
  load = new Load(4);
  const { last } = await troupe.log.end();
  await troupe.archive?.keep({ kind: "agent", name: "customer" }, last);
  await troupe.archive?.keep({ kind: "topic", name: "remarks" }, last);
  await model.caughtUp();
  await forgetful.caughtUp();
  const where = await found("whole");
  expect(where.join("\n")).toMatch(/streams\/shop-0\/.*segments\/.*the read model/s);
});

test("nothing of it is found afterwards, in any file or read model", async () => {
  const owner = await ownerOf("whole");
  // It gets messages of before when all is over.
  owner.signal("SIGSTOP");
  const late = Array.from({ length: 20 }, (_, n) => `${secretOf("whole")} late ${n}`);
  await Promise.all(late.map((text) => troupe.send(customer, "whole").say(text)));
  const { archived, done, parts } = await troupe.erase(customer, "whole", { reason: "a test" });
  owner.signal("SIGCONT");
  expect(done).toBe(true);
  for (const part of ["journal", "messages", "publications on remarks", "dead letters"]) {
    expect(parts.find((each) => each.part === part)?.count).toBeGreaterThan(0);
  }
  expect(archived?.entries).toBeGreaterThan(0);
  await vi.waitFor(async () => expect(await found("whole")).toEqual([]), patience);
  await load.stop();
});

test("the search finds what is left out, whatever it is", async () => {
  for (const part of leftOut) await eraseWithout(part);
  await model.caughtUp();
  const unseen: string[] = [];
  for (const part of leftOut) if ((await found(`without-${part}`)).length === 0) unseen.push(part);
  expect(unseen).toEqual([]);
  // A read model that does not listen to erasures.
  await forgetful.caughtUp();
  const lines = await linesOf(postgres, "said_for_ever");
  expect(JSON.stringify(lines)).toContain(secretOf("whole"));
});

test("the others lost nothing, and messages of before do nothing when all is read again", async () => {
  await model.caughtUp();
  const counts = await countsOf();
  for (const worker of workers) await worker.kill();
  await client.request(
    `$JS.API.STREAM.PURGE.${namespace}-control`,
    JSON.stringify({ filter: subjects(namespace, partitions).floors }),
  );
  workers = [await startWorker("c")];
  for (const [key, all] of load.said) {
    expect(all.length).toBeGreaterThan(10);
    expect(await troupe.agent(customer, key).look({})).toEqual(all);
  }
  // It reads a partition in its order: what these agents were sent before is behind.
  expect(await kindsIn("whole")).toEqual(["turn", "input"]);
  const after = await countsOf();
  for (const [key, count] of counts) expect(after.get(key)).toBe(count + 1);
  await model.caughtUp();
  const lines = await linesOf(postgres, "said");
  for (const [key, all] of load.said) {
    expect(lines.filter((line) => line.key === key).map(({ text }) => text)).toEqual(all);
  }
  expect(await found("whole")).toEqual([]);
  expect(await troupe.agent(customer, "whole").look({})).toEqual([]);
});

/** Turns of the others. */
async function countsOf(): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const key of load.said.keys()) {
    let turns = 0;
    for await (const _ of troupe.turns("customer", key)) turns += 1;
    counts.set(key, turns);
  }
  return counts;
}
