import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, test } from "vitest";

import {
  ensureBroker,
  findNatsServer,
  NatsServerStartError,
  NatsServerStoppedError,
  startNatsCluster,
  startNatsServer,
} from "./index.ts";
import { drawPort } from "./free-port.ts";
import { launchServer } from "./launch-server.ts";
import { createServerHome, removeServerHome } from "./server-home.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe("a started server", () => {
  test("is healthy at once: JetStream stores and returns a message", async () => {
    await using server = await startNatsServer();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    await storeMessage(server.url, "hello");
    expect(await countMessages(server.url)).toBe(1);
  });

  test("has the name, payload limit and further settings it was given", async () => {
    await using server = await startNatsServer({
      serverName: "stage",
      maxPayloadBytes: 2_000_000,
      syncInterval: "always",
      extraConfig: ["max_connections: 17"],
    });
    const connection = await connect({ servers: server.url });
    expect(connection.info?.server_name).toBe("stage");
    expect(connection.info?.max_payload).toBe(2_000_000);
    await connection.close();
    const variables = (await (await fetch(`${server.monitoringUrl}/varz`)).json()) as {
      max_connections: number;
      jetstream: { config: { sync_always: boolean } };
    };
    expect(variables.max_connections).toBe(17);
    expect(variables.jetstream.config.sync_always).toBe(true);
  });

  test("keeps url and data through a restart", async () => {
    await using server = await startNatsServer();
    const { url, pid } = server;
    await storeMessage(url, "kept");
    await server.restart();
    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(await countMessages(url)).toBe(1);
  });

  test("comes back with its data after kill -9", async () => {
    await using server = await startNatsServer();
    await storeMessage(server.url, "kept");
    const { pid } = server;
    await server.kill();
    expect(isRunning(pid)).toBe(false);
    await server.restart();
    expect(await countMessages(server.url)).toBe(1);
  });

  test("takes stop, kill and restart one after the other, and stop twice", async () => {
    const server = await startNatsServer();
    const operations = [server.restart(), server.kill(), server.restart(), server.stop()];
    await Promise.all([...operations, server.stop()]);
    expect(isRunning(server.pid)).toBe(false);
    await expect(server.restart()).rejects.toThrow(NatsServerStoppedError);
  });
});

describe("the folders of a server", () => {
  test("are temporary by default and gone after stop", async () => {
    const server = await startNatsServer();
    expect(await exists(server.storeDir)).toBe(true);
    await server.stop();
    expect(await exists(join(server.storeDir, ".."))).toBe(false);
  });

  test("are kept when the caller named them", async () => {
    const folder = await temporaryFolder();
    const options = { storeDir: join(folder, "store"), logFile: join(folder, "server.log") };
    const first = await startNatsServer(options);
    await storeMessage(first.url, "kept");
    await first.stop();
    await using second = await startNatsServer(options);
    expect(await countMessages(second.url)).toBe(1);
    expect(await readFile(options.logFile, "utf8")).toContain("Server is ready");
  });
});

describe("ports", () => {
  test("a taken port that was asked for is an error with the server's own words", async () => {
    const port = await takenPort();
    const start = startNatsServer({ port });
    await expect(start).rejects.toThrow(NatsServerStartError);
    await expect(start).rejects.toMatchObject({
      code: "nats-server-start-failed",
      retryable: true,
      logLines: expect.arrayContaining([expect.stringContaining("address already in use")]),
    });
  });

  test("a taken port that was drawn is replaced by another", async () => {
    const taken = await takenPort();
    const draws = [taken, taken, taken, taken];
    const home = await createServerHome({});
    cleanups.push(() => removeServerHome(home));
    const launched = await launchServer({
      binaryPath: (await findNatsServer()).path,
      home,
      host: "127.0.0.1",
      maxPayloadBytes: 1024,
      startTimeoutMs: 20_000,
      nextPort: () => draws.shift() ?? drawPort(),
    });
    cleanups.push(() => launched.process.kill());
    expect(draws).toHaveLength(0);
    expect(launched.port).not.toBe(taken);
  });

  test("a relaunch waits for its port while somebody else holds it", async () => {
    await using server = await startNatsServer();
    await server.kill();
    const squatter = await listen(server.port);
    const restarted = server.restart();
    await expect.poll(() => logOf(server.storeDir)).toContain("address already in use");
    await close(squatter);
    await restarted;
    await storeMessage(server.url, "after all");
  });
});

describe("a start that fails", () => {
  test("shows what the server said about a bad configuration", async () => {
    const start = startNatsServer({ extraConfig: ["max_payload: many"] });
    await expect(start).rejects.toThrow(
      /nats-server did not start.*exit code 1.*nats-server\.conf:9:1/s,
    );
  });

  test("ends in time, and without a process, when the server never gets healthy", async () => {
    const folder = await temporaryFolder();
    const start = startNatsServer({
      binary: await writeProgram(folder, 'echo "stuck as $$"; exec sleep 600'),
      startTimeoutMs: 1_000,
    });
    const error = await start.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NatsServerStartError);
    const line = (error as NatsServerStartError).logLines[0] ?? "";
    expect(line).toMatch(/^stuck as \d+$/);
    expect(isRunning(Number(line.split(" ").at(-1)))).toBe(false);
  });

  test("ends with the reason of the signal when it is aborted", async () => {
    const folder = await temporaryFolder();
    const pidFile = join(folder, "pid");
    const abort = new AbortController();
    const start = startNatsServer({
      binary: await writeProgram(folder, `echo $$ > ${pidFile}; exec sleep 600`),
      signal: abort.signal,
    });
    start.catch(() => {});
    await expect.poll(() => readFile(pidFile, "utf8").catch(() => "")).toMatch(/\d+\n/);
    abort.abort(new Error("changed my mind"));
    await expect(start).rejects.toThrow("changed my mind");
    expect(isRunning(Number(await readFile(pidFile, "utf8")))).toBe(false);
  });
});

describe("ensureBroker", () => {
  test("uses the broker that TROUPE_NATS_URL names", async () => {
    process.env["TROUPE_NATS_URL"] = "nats://broker.example.org:4222";
    cleanups.push(async () => delete process.env["TROUPE_NATS_URL"]);
    await using broker = await ensureBroker();
    expect(broker.url).toBe("nats://broker.example.org:4222");
    expect(broker.server).toBeUndefined();
  });

  test("starts a server otherwise, and stops it when disposed of", async () => {
    delete process.env["TROUPE_NATS_URL"];
    let pid = 0;
    {
      await using broker = await ensureBroker();
      pid = broker.server?.pid ?? 0;
      expect(isRunning(pid)).toBe(true);
      expect(broker.url).toBe(broker.server?.url);
    }
    expect(isRunning(pid)).toBe(false);
  });
});

test("a cluster of three keeps a replicated message when one member is killed", async () => {
  await using cluster = await startNatsCluster();
  await expect
    .poll(() => storeMessage(cluster.urls, "replicated", 3).catch(String), { timeout: 25_000 })
    .toBe(undefined);
  await cluster.servers[0]?.kill();
  await expect
    .poll(() => countMessages(cluster.urls.slice(1)).catch(String), { timeout: 25_000 })
    .toBeGreaterThan(0);
}, 60_000);

async function storeMessage(servers: string | readonly string[], text: string, replicas = 1) {
  const connection = await connect({ servers: [servers].flat() });
  try {
    const manager = await jetstreamManager(connection, { timeout: 1_000 });
    await manager.streams.add({ name: "notes", subjects: ["notes"], num_replicas: replicas });
    await jetstream(connection).publish("notes", text);
  } finally {
    await connection.close();
  }
}

async function countMessages(servers: string | readonly string[]): Promise<number> {
  const connection = await connect({ servers: [servers].flat() });
  try {
    const manager = await jetstreamManager(connection);
    return (await manager.streams.info("notes")).state.messages;
  } finally {
    await connection.close();
  }
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-test-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A program that says it is a new nats-server, and does something else when started. */
async function writeProgram(folder: string, action: string): Promise<string> {
  const path = join(folder, "nats-server");
  const version = '[ "$1" = --version ] && echo "nats-server: v99.0.0" && exit 0';
  await writeFile(path, `#!/bin/sh\n${version}\n${action}\n`, { mode: 0o755 });
  return path;
}

async function takenPort(): Promise<number> {
  const squatter = await listen(0);
  cleanups.push(() => close(squatter));
  return (squatter.address() as AddressInfo).port;
}

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function logOf(storeDir: string): Promise<string> {
  return readFile(join(storeDir, "..", "nats-server.log"), "utf8");
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
