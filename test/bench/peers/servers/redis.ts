/** A redis-server with an append-only file that is synced every second. */
import { connect } from "node:net";
import { once } from "node:events";

import { runProgram } from "../../../../packages/jetstream/src/server/run-program.ts";
import { findProgram } from "./debian-program.ts";
import { freePort, startProcess, temporaryFolder } from "./local-process.ts";
import type { LocalProcess } from "./local-process.ts";

export interface Redis extends LocalProcess {
  readonly port: number;
  readonly version: string;
}

export async function startRedis(): Promise<Redis> {
  const source = { name: "redis-server", folders: [], debianPackage: "redis-server" };
  const { path, environment } = await findProgram(source);
  const options = { timeoutMs: 10_000, environment: { ...process.env, ...environment } };
  const said = await runProgram(path, ["--version"], options);
  const port = await freePort();
  const folder = await temporaryFolder("redis");
  const settings = ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder];
  // No snapshots beside the append-only file: they would cost and keep nothing more.
  const durability = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""];
  const server = await startProcess({
    // BullMQ asks for this: a queue must not lose keys to a full memory.
    command: [path, ...settings, ...durability, "--maxmemory-policy", "noeviction"],
    folder,
    environment,
    ready: () => answersPing(port),
  });
  return { port, version: /v=(\S+)/.exec(said)?.[1] ?? "unknown", stop: () => server.stop() };
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    socket.write("PING\r\n");
    const [reply] = (await once(socket, "data")) as [Buffer];
    return reply.toString().startsWith("+PONG");
  } finally {
    socket.destroy();
  }
}
