/** The guard against late write errors, on a real connection. */
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";

import { startNatsServer, type NatsServer } from "./server/index.ts";
import { guardSocket } from "./socket-guard.ts";

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});

afterAll(() => server.stop());

it("survives a write error that comes after the client has let go of its socket", async () => {
  const connection = await connect({ servers: server.url, reconnect: false });
  const socket = guardSocket(connection);
  expect(socket).toBeDefined();
  socket?.removeAllListeners();
  expect(() => socket?.emit("error", new Error("write after end"))).not.toThrow();
  await connection.close();
});

it("is needed: without it the same error is thrown", async () => {
  const connection = await connect({ servers: server.url, reconnect: false });
  const client = connection as unknown as {
    readonly protocol: { readonly transport: { readonly socket: NodeJS.EventEmitter } };
  };
  const { socket } = client.protocol.transport;
  socket.removeAllListeners();
  expect(() => socket.emit("error", new Error("write after end"))).toThrow("write after end");
  await connection.close();
});
