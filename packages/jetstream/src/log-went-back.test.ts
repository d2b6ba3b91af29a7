/**
 * I16 on a real server: the stream is made anew, or loses its tail with an older store directory.
 */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial } from "@nats-io/transport-node";
import { agent, type Troupe } from "@troupe/core";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { connect, connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

const patience = { timeout: 20_000 };

const account = agent("account")
  .state({ sum: 0 })
  .event("added", z.number(), (state, by) => ({ sum: state.sum + by }))
  .on("add", z.number(), (ctx, by) => {
    ctx.emit.added(by);
    return ctx.state.sum;
  });

interface Hosting {
  readonly troupe: Troupe;
  readonly faults: Set<string>;
}

async function hosting({ url }: NatsServer): Promise<Hosting> {
  const troupe = await connect(url, { namespace: "t" });
  onTestFinished(() => troupe.close());
  const faults = new Set<string>();
  troupe.inspect((event) => {
    if (event.kind === "fault") faults.add(`${event.what}: ${event.failure.code}`);
  });
  await troupe.work(account, { snapshotTurns: 3, floorIntervalMs: 50 });
  return { troupe, faults };
}

async function startServer(storeDir?: string): Promise<NatsServer> {
  const server = await startNatsServer(storeDir === undefined ? {} : { storeDir });
  onTestFinished(() => server.stop());
  return server;
}

const keys = ["a", "b", "c", "d"];

async function add(troupe: Troupe, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await Promise.all(keys.map((key) => troupe.agent(account, key).add(1)));
  }
}

/** Every partition that was used has a floor that stands on the log's end. */
async function floorsAreSaved(troupe: Troupe): Promise<void> {
  await vi.waitFor(async () => {
    const floors = (await troupe.log.floors()).filter(({ position }) => position > 0);
    const { last } = await troupe.log.end();
    expect(floors.some(({ mark }) => mark?.position === last)).toBe(true);
  }, patience);
}

async function makeAnew({ url }: NatsServer, meanwhile?: () => Promise<void>): Promise<void> {
  const nats = await dial({ servers: url });
  const manager = await jetstreamManager(nats);
  const { config } = await manager.streams.info("t-0");
  await manager.streams.delete("t-0");
  await meanwhile?.();
  await manager.streams.add(config);
  await nats.close();
}

test("a stream that is made anew while a worker runs is told, and everything in it is handled", async () => {
  const server = await startServer();
  const { faults, troupe } = await hosting(server);
  await add(troupe, 5);
  await floorsAreSaved(troupe);
  await makeAnew(server);
  await vi.waitFor(() => expect(faults).toContain("log: log-made-anew"), patience);
  await add(troupe, 2);
  expect(await troupe.agent(account, "a").add(0)).toBe(2);
});

test("a stream that is made anew between two workers is told, and everything in it is handled", async () => {
  const server = await startServer();
  const first = await hosting(server);
  await add(first.troupe, 5);
  await floorsAreSaved(first.troupe);
  await first.troupe.close();
  await makeAnew(server);
  const client = await connect(server.url, { namespace: "t" });
  onTestFinished(() => client.close());
  // Up to positions that the old one had.
  for (let n = 0; n < 60; n++) await client.send(account, "z").add(1);
  const { faults, troupe } = await hosting(server);
  expect(await troupe.agent(account, "z").add(0)).toBe(60);
  expect(faults).toContain("floors: log-made-anew");
  expect(await troupe.agent(account, "a").add(1)).toBe(1);
});

test.each(["stays", "starts again"])(
  "a tail that is lost while a worker %s is told, and nothing that is accepted later is skipped",
  async (what) => {
    const storeDir = await mkdtemp(join(tmpdir(), "troupe-lost-tail-"));
    const backup = `${storeDir}-backup`;
    onTestFinished(async () => {
      await rm(storeDir, { recursive: true, force: true });
      await rm(backup, { recursive: true, force: true });
    });
    const server = await startServer(storeDir);
    const stream = join(storeDir, "jetstream", "$G", "streams", "t-0");
    let { faults, troupe } = await hosting(server);
    await add(troupe, 3);
    await server.kill();
    await cp(stream, backup, { recursive: true });
    await server.restart();
    await add(troupe, 7);
    await floorsAreSaved(troupe);
    if (what === "starts again") await troupe.close();
    await server.kill();
    await rm(stream, { recursive: true });
    await cp(backup, stream, { recursive: true });
    await server.restart();
    if (what === "starts again") ({ faults, troupe } = await hosting(server));
    await vi.waitFor(
      () => expect([...faults].join()).toMatch(/(log|floors): log-went-back/),
      patience,
    );
    await add(troupe, 4);
    for (const key of keys) expect(await troupe.agent(account, key).add(0)).toBe(7);
  },
);

test("who follows a log that is made anew is told by name", async () => {
  const server = await startServer();
  const log = await connectLog({ servers: server.url, namespace: "t" });
  onTestFinished(() => log.close());
  await log.accept({
    address: { kind: "topic", name: "news", key: "a" },
    metadata: {},
    payload: Buffer.from("1"),
  });
  const faults: string[] = [];
  log.onFault((what) => faults.push(what));
  const following = log.follow({ from: 1 })[Symbol.asyncIterator]();
  expect((await following.next()).value?.kind).toBe("input");
  const next = following.next();
  // The follower finds no stream, and waits for one.
  const isMissed = (): Promise<void> =>
    vi.waitFor(() => expect(faults.join()).toContain("reading t-0"), patience);
  await Promise.all([
    expect(next).rejects.toMatchObject({ code: "log-made-anew" }),
    makeAnew(server, isMissed),
  ]);
});
