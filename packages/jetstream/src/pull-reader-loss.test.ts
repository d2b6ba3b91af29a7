/** Deliveries that are lost on the way without anybody losing a connection (L3). */
import {
  createServer,
  connect as open,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";

import { partitionOfToken, type Input, type Log } from "@troupe/core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

const address = { kind: "agent", name: "account", key: "alice" } as const;
let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

/** Between client and server; leaves out the deliveries that `lost` names, counted from 1. */
class LossyRelay {
  readonly #listener: Server;
  readonly #lost: ReadonlySet<number>;
  readonly #sockets: Socket[] = [];
  #deliveries = 0;

  constructor(port: number, lost: readonly number[]) {
    this.#lost = new Set(lost);
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
      const size = /^H?MSG /.test(line) ? Number(line.slice(line.lastIndexOf(" "))) + 2 : 0;
      const end = lineEnd + 2 + size;
      if (end > bytes.length) return bytes.subarray(start);
      const isLost = line.includes(" $JS.ACK.") && this.#lost.has(++this.#deliveries);
      if (!isLost) client.write(bytes.subarray(start, end));
      start = end;
    }
  }
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
  const relay = new LossyRelay(server.port, lost);
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
