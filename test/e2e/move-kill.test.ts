/**
 * A log moves while its system works, and whoever moves it is killed again and again: nothing is
 * lost, nothing comes twice, and it goes on in the new namespace with the same order.
 */
import { randomUUID } from "node:crypto";

import { TroupeError } from "@troupe/core";
import { encodePayload, type InputDraft, type Log } from "@troupe/core/log";
import { connectLog, type MoveReport } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startMoving } from "./move/move-program-settings.ts";
import { counterOf, readStream } from "./raw-stream.ts";
import { adds } from "./tally/publish-adds.ts";
import { checkStream, nothing, type Findings, type Published } from "./tally/tally-check.ts";
import { startTallyWorker } from "./tally/tally-worker-settings.ts";
import type { Add } from "./tally/tally.ts";

vi.setConfig({ testTimeout: 180_000 });

let server: NatsServer;
let client: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url, noAsyncTraces: true });
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
});

const [from, to, keys] = ["here", "there", 10];
/** Sent at once beside each try to move. */
const perKey = 40;
const patience = { timeout: 60_000, interval: 20 } as const;

/**
 * Sends to where the log is: each key's messages one after the other, each until it is stored, as
 * many as are allowed.
 */
class Sender {
  readonly sent: Map<string, Add[]> = new Map();
  readonly #all: Published = adds({ messages: keys * 1000, keys });
  #running: Promise<unknown> = Promise.resolve();
  #log: Promise<Log>;

  constructor(log: Promise<Log>) {
    this.#log = log;
  }

  /** So many more of each key, after those before; resolves when they are stored. */
  more(count: number): Promise<unknown> {
    this.#running = this.#running.then(() =>
      Promise.all([...this.#all].map(([key, list]) => this.#send(key, list, count))),
    );
    return this.#running;
  }

  async end(): Promise<void> {
    await this.#running;
    await (await this.#log).close();
  }

  async #send(key: string, list: readonly Add[], count: number): Promise<void> {
    const done = this.sent.get(key)?.length ?? 0;
    for (const add of list.slice(done, done + count)) {
      const address = { kind: "agent", name: "tally", key } as const;
      const metadata = { id: randomUUID(), message: "add", contentType: "application/msgpack" };
      await this.#store({ address, metadata, payload: encodePayload(add) } as InputDraft);
      this.sent.set(key, [...(this.sent.get(key) ?? []), add]);
    }
  }

  /** Stores an input whatever happens, with the same id. */
  async #store(draft: InputDraft): Promise<void> {
    for (;;) {
      const log = this.#log;
      try {
        await (await log).accept(draft);
        return;
      } catch (thrown) {
        if (!(thrown instanceof TroupeError && thrown.retryable)) throw thrown;
        if (thrown.code === "log-moved" && this.#log === log) this.#log = follow(log);
      }
    }
  }
}

/** Opens the log in its place after the move; waits until it is open. */
async function follow(old: Promise<Log>): Promise<Log> {
  await (await old).close();
  return connectLog({ servers: server.url, namespace: to, startTimeoutMs: 60_000 });
}

test("nothing is lost or doubled, whenever whoever moves it is killed", async ({ annotate }) => {
  const worker = { url: server.url, pausing: true } as const;
  await using old = await startTallyWorker({ ...worker, id: "old", namespace: from });
  await using other = await startTallyWorker({ ...worker, id: "other", namespace: from });
  const stored = await counterOf(client, from);
  const sender = new Sender(connectLog({ servers: server.url, namespace: from }));
  void sender.more(perKey);
  await expect.poll(() => stored("*.journal.tally.*"), patience).toBeGreaterThan(keys);

  const settings = { url: server.url, from, to, partitions: 64 };
  for (const step of ["copy", "compare", "freeze"]) {
    await using mover = await startMoving(settings);
    void sender.more(perKey);
    await mover.said(step);
    await mover.kill();
  }
  // It is killed where the new stream has just become one of its own, if it is caught there.
  const manager = await jetstreamManager(client);
  const isMirror = async (): Promise<boolean> =>
    (await manager.streams.info(`${to}-0`)).config.mirror !== undefined;
  await using caught = await startMoving(settings);
  await expect.poll(isMirror, { timeout: 60_000, interval: 2 }).toBe(false);
  await caught.kill();
  await using last = await startMoving(settings);
  await using moved = await startTallyWorker({ ...worker, id: "moved", namespace: to });
  const ended = last.notices.find(({ kind }) => kind === "moved");
  const report = ended?.["report"] as MoveReport | undefined;
  await sender.more(perKey);
  await sender.end();

  const all = [...sender.sent.values()].reduce((sum, list) => sum + list.length, 0);
  const check = async (): Promise<Findings> =>
    checkStream(sender.sent, await readStream(server.url, to));
  const lost = async (): Promise<unknown> => {
    const findings = await check();
    return findings.lost.length + findings.wrong.length;
  };
  await expect.poll(lost, { timeout: 60_000, interval: 500 }).toBe(0);
  expect(await check()).toEqual(nothing);
  await annotate(`${all} messages, paused ${report?.pausedMs ?? "an unknown number of"} ms`);
  await Promise.all([old.kill(), other.kill()]);
  void moved;
});
