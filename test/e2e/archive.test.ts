/**
 * Archives on a real server: journals that were archived and truncated, by two processes at once
 * and under load, read as they were; also after a backup was restored.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { agent, memoryModel, memorySink, projection, type Troupe } from "@troupe/core";
import { partitionCountDefault } from "@troupe/core/log";
import { directoryStore } from "@troupe/core/archive";
import { connect, subjects } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { backUpStream, restoreStream } from "./stream-backup.ts";

const namespace = "kept";
const keys = ["a", "b", "c", "d.e f"];
const chain = { kind: "agent", name: "tally" } as const;

const tally = agent("tally")
  .state({ sum: 0 })
  .event("added", z.number(), ({ sum }, by) => ({ sum: sum + by }))
  .on("add", z.number(), async (ctx, by) => {
    ctx.emit.added(await ctx.step("look", by, (input) => input));
    if (by % 4 === 0) ctx.send(tally, "a").add(1);
  });

const sums = projection(
  "sums",
  memoryModel((): string[] => []),
).on(tally, "added", (rows, by, { agent: { key }, atMs, position }) => {
  rows.push(`${position} ${key} ${by} ${atMs}`);
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "troupe-archive-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function start(): Promise<NatsServer> {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  return server;
}

interface Process {
  readonly troupe: Troupe;
  readonly faults: string[];
}

async function newProcess(server: NatsServer, directory: string): Promise<Process> {
  const archive = directoryStore(directory);
  const troupe = await connect(server.url, { namespace, archive, onFault: false });
  onTestFinished(() => troupe.close());
  const faults: string[] = [];
  troupe.inspect((event) => {
    if (event.kind === "fault") faults.push(event.failure.code);
  });
  return { troupe, faults };
}

async function add(troupe: Troupe, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) {
    await troupe.agent(tally, keys[n % keys.length] ?? "a").add(n);
  }
}

async function replayed(troupe: Troupe): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const key of keys) for await (const turn of troupe.replay(tally, key)) found.push(turn);
  return found;
}

async function projected(troupe: Troupe): Promise<readonly string[]> {
  const sink = memorySink();
  await using running = await troupe.project(sums, sink);
  await running.caughtUp();
  return sink.read(sums);
}

/** Every message is handled. */
async function idle(troupe: Troupe): Promise<void> {
  await vi.waitFor(async () => {
    let [inputs, turns] = [0, 0];
    for await (const entry of troupe.follow({ from: 1, untilNow: true })) {
      if (entry.kind === "input") inputs += 1;
    }
    for (const key of keys) for await (const _ of troupe.turns("tally", key)) turns += 1;
    expect(turns).toBe(inputs);
  }, 20_000);
}

/** Purges journals up to a position, by hand; the last record stays. */
async function truncate(nats: NatsConnection, upTo: number): Promise<void> {
  const names = subjects(namespace, partitionCountDefault);
  for (const key of keys) {
    const filter = names.journal({ type: "tally", key });
    const last = await nats.request(
      `$JS.API.STREAM.MSG.GET.${names.stream}`,
      JSON.stringify({ last_by_subj: filter }),
    );
    const { message } = last.json<{ readonly message?: { readonly seq: number } }>();
    const seq = Math.min(upTo + 1, message?.seq ?? 0);
    const purge = JSON.stringify({ filter, seq });
    await nats.request(`$JS.API.STREAM.PURGE.${names.stream}`, purge);
  }
}

test("journals that were archived and truncated are read as they were", async () => {
  const server = await start();
  const directory = await newDirectory();
  const { troupe } = await newProcess(server, directory);
  const other = await newProcess(server, directory);
  await troupe.work(tally);
  const nats = await dial({ servers: server.url });
  onTestFinished(() => nats.close());
  for (let round = 0; round < 3; round += 1) {
    await add(troupe, round * 40 + 1, (round + 1) * 40);
    await idle(troupe);
    const wanted = await replayed(troupe);
    const rows = await projected(troupe);
    const { last } = await troupe.log.end();
    const upTo = last - 7;
    const archives = [troupe.archive, other.troupe.archive];
    await Promise.all(archives.map(async (archive) => archive?.keep(chain, upTo)));
    await truncate(nats, upTo);
    expect(await replayed(other.troupe)).toEqual(wanted);
    expect(await projected(other.troupe)).toEqual(rows);
    expect((await troupe.archive?.check(chain))?.faults).toEqual([]);
  }
  // Without the archive they are not what they were.
  const without = await connect(server.url, { namespace, onFault: false });
  onTestFinished(() => without.close());
  await expect(replayed(without)).rejects.toMatchObject({ code: "journal-hole" });
}, 60_000);

test("after yesterday's backup was restored, archive and log are read as they were yesterday", async () => {
  const server = await start();
  const directory = await newDirectory();
  const { troupe } = await newProcess(server, directory);
  await troupe.work(tally);
  const nats = await dial({ servers: server.url });
  await add(troupe, 1, 40);
  await idle(troupe);
  await troupe.archive?.keep(chain, (await troupe.log.end()).last - 5);
  await truncate(nats, (await troupe.log.end()).last - 5);
  const yesterday = await replayed(troupe);
  const control = await backUpStream(nats, `${namespace}-control`);
  const log = await backUpStream(nats, `${namespace}-0`);
  await add(troupe, 40, 80);
  await idle(troupe);
  await troupe.archive?.keep(chain, (await troupe.log.end()).last);
  await truncate(nats, (await troupe.log.end()).last);
  await nats.close();
  await troupe.close();
  await server.kill();

  const next = await start();
  const restoring = await dial({ servers: next.url });
  await restoreStream(restoring, control);
  await restoreStream(restoring, log);
  await restoring.close();
  const after = await newProcess(next, directory);
  expect(await replayed(after.troupe)).toEqual(yesterday);
}, 60_000);
