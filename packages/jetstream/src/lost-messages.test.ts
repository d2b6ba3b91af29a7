/** Messages that are lost on the way without anybody losing a connection (LOG-3). */
import {
  createServer,
  connect as open,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";

import { partitionOfToken, type Input, type Log } from "@troupe/core/log";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

const address = { kind: "agent", name: "account", key: "alice" } as const;
let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

/** Between client and server; leaves out the messages to the client that `isLost` says. */
class LossyRelay {
  readonly #listener: Server;
  readonly #isLost: (message: string) => boolean;
  readonly #sockets: Socket[] = [];

  constructor(port: number, isLost: (message: string) => boolean) {
    this.#isLost = isLost;
    this.#listener = createServer((client) => {
      const upstream = open(port, "127.0.0.1");
      this.#sockets.push(client, upstream);
      for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
      client.pipe(upstream);
      let rest: Buffer = Buffer.alloc(0);
      upstream.on("data", (chunk) => {
        rest = this.#forward(Buffer.concat([rest, chunk]), client);
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#listener.listen(0, "127.0.0.1", resolve));
    return `nats://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Whole protocol messages only; returns what is incomplete. */
  #forward(bytes: Buffer, client: Socket): Buffer {
    let start = 0;
    for (;;) {
      const lineEnd = bytes.indexOf("\r\n", start);
      if (lineEnd < 0) return bytes.subarray(start);
      const line = bytes.toString("latin1", start, lineEnd);
      const isMessage = /^H?MSG /.test(line);
      const size = isMessage ? Number(line.slice(line.lastIndexOf(" "))) + 2 : 0;
      const end = lineEnd + 2 + size;
      if (end > bytes.length) return bytes.subarray(start);
      const whole = bytes.subarray(start, end);
      if (!isMessage || !this.#isLost(whole.toString("latin1"))) client.write(whole);
      start = end;
    }
  }
}

/** Says yes to the given ones of those that have a text in them, counted from 1. */
function countOf(text: string, lost: readonly number[]): (message: string) => boolean {
  let count = 0;
  return (message) => message.includes(text) && lost.includes(++count);
}

async function fill(log: Log, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await log.accept({ address, metadata: {}, payload: Buffer.from("{}") });
  }
}

test.each([
  ["in the middle", [3]],
  ["at the beginning", [1]],
  ["at the end, where only the heartbeat tells", [10]],
  ["again and again", [2, 5, 6, 14, 30]],
])("a delivery lost %s is delivered again", async (where, lost) => {
  const namespace = where.replaceAll(/\W/g, "");
  const direct = await connectLog({ servers: server.url, namespace });
  const relay = new LossyRelay(server.port, countOf(" $JS.ACK.", lost));
  const log = await connectLog({
    servers: await relay.listen(),
    namespace,
    readerHeartbeatMs: 100,
  });
  await fill(direct, 10);
  const inputs: Input[] = [];
  const source = partitionOfToken("alice", log.partitions);
  log.read({ source, after: 0, credit: 100, onInput: (input) => inputs.push(input) });
  await expect.poll(() => inputs.length, { timeout: 10_000 }).toBe(10);
  expect(inputs.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await log.close();
  relay.close();
  await direct.close();
});

test.each([
  ["a record", "Nats-Num-Pending: 2\r\n", [1]],
  ["the end marker", "204 EOB", [1]],
])("a journal read that lost %s is read again", async (what, text, lost) => {
  const namespace = `journal-${what.replaceAll(" ", "-")}`;
  const relay = new LossyRelay(server.port, countOf(text, lost));
  const log = await connectLog({ servers: await relay.listen(), namespace });
  const agent = { type: "account", key: "alice" };
  const record = Buffer.from("record");
  const chained = { agent, expectedRevision: "chained", record, outgoing: [] } as const;
  const turns = [{ ...chained, expectedRevision: 0 }, chained, chained, chained, chained];
  const revisions = await log.commit(turns);
  const [first = 0, ...others] = revisions;
  // The first one comes alone, the others in one answer.
  const journal = await log.journal(agent, first);
  expect(journal.map(({ revision }) => revision)).toEqual(others);
  await log.close();
  relay.close();
});

test("a commit whose answer was lost is there, and a second try is a conflict", async () => {
  const relay = new LossyRelay(server.port, countOf(".ack.", [1]));
  const namespace = "answer";
  // The streams are there already, so the first answer to our inbox is that of the commit.
  const direct = await connectLog({ servers: server.url, namespace });
  const log = await connectLog({ servers: await relay.listen(), namespace, commitTimeoutMs: 200 });
  const agent = { type: "account", key: "alice" };
  const turn = { agent, expectedRevision: 0, record: Buffer.from("one"), outgoing: [] };
  await expect(log.commit([turn])).rejects.toMatchObject({ code: "log-unavailable" });
  await expect(log.commit([turn])).rejects.toMatchObject({ code: "revision-conflict" });
  expect(await log.journal(agent, 0)).toHaveLength(1);
  await log.close();
  relay.close();
  await direct.close();
});

test("a commit that waits for its answer fails at once when the connection is lost", async () => {
  const relay = new LossyRelay(server.port, countOf(".ack.", [1]));
  const log = await connectLog({ servers: await relay.listen(), namespace: "cut" });
  const agent = { type: "account", key: "alice" };
  const turn = { agent, expectedRevision: 0, record: Buffer.from("one"), outgoing: [] };
  const start = performance.now();
  const committing = log.commit([turn]);
  relay.close();
  await expect(committing).rejects.toMatchObject({ code: "log-unavailable", retryable: true });
  expect(performance.now() - start).toBeLessThan(2000);
  await log.close();
});
