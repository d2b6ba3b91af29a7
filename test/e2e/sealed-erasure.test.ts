/**
 * Personal data in the log, its backup, an archive and a read model, after the person's key was
 * erased: nothing of it can be read anywhere, and the others read on.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { agent, memoryModel, memorySink, personal, projection, type Troupe } from "@troupe/core";
import { directoryStore } from "@troupe/core/archive";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";

import { filesWith } from "./erasure/stored-bytes.ts";
import { backUpStream, restoreStream, type StreamBackup } from "./stream-backup.ts";

vi.setConfig({ testTimeout: 60_000 });

const namespace = "diaries";
/** Nowhere else on this disk. */
const secret = "Quetzalcoatl Xylophone";
const chain = { kind: "agent", name: "diary" } as const;

const note = personal(z.object({ text: z.string() }), { fields: { text: "(erased)" } });
const diary = agent("diary")
  .state<readonly string[]>([])
  .event("noted", note, (all, { text }) => [...all, text])
  .on("note", note, async (ctx, message) => {
    ctx.emit.noted({ text: await ctx.step("weigh", message.text, async (text) => text) });
    return message.text;
  });

const notes = projection(
  "notes",
  memoryModel((): string[] => []),
).on(diary, "noted", (rows, { text }, { agent: { key } }) => void rows.push(`${key}: ${text}`));

async function start(): Promise<NatsServer> {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  return server;
}

async function joined(server: NatsServer, archive: string): Promise<Troupe> {
  const store = directoryStore(archive);
  const troupe = await connect(server.url, { namespace, archive: store, onFault: false });
  onTestFinished(() => troupe.close());
  return troupe;
}

async function dialled(server: NatsServer): Promise<NatsConnection> {
  const client = await dial({ servers: server.url });
  onTestFinished(() => client.close());
  return client;
}

async function textsOf(troupe: Troupe, key: string): Promise<readonly string[]> {
  let texts: readonly string[] = [];
  for await (const { state } of troupe.replay(diary, key)) texts = state;
  return texts;
}

/** A new server with these streams. */
async function restored(
  backups: readonly StreamBackup[],
  archive: string,
): Promise<{ readonly server: NatsServer; readonly troupe: Troupe }> {
  const server = await start();
  const client = await dialled(server);
  for (const backup of backups) await restoreStream(client, backup);
  return { server, troupe: await joined(server, archive) };
}

test("an erased key is erased in backups, archives and rebuilt read models", async () => {
  const archive = await mkdtemp(join(tmpdir(), "troupe-sealed-"));
  onTestFinished(() => rm(archive, { recursive: true, force: true }));
  const server = await start();
  const client = await dialled(server);
  const troupe = await joined(server, archive);
  await troupe.work(diary, { snapshotTurns: 2 });
  for (const key of ["42", "43"]) {
    for (let n = 0; n < 5; n++) await troupe.agent(diary, key).note({ text: `${secret} ${key}` });
  }
  await troupe.archive?.keep(chain, (await troupe.log.end()).last);
  const sink = memorySink();
  const first = await troupe.project(notes, sink);
  await first.caughtUp();
  await first.stop();
  expect(sink.read(notes)).toContain(`42: ${secret} 42`);
  const log = [
    await backUpStream(client, `${namespace}-control`),
    await backUpStream(client, `${namespace}-0`),
  ];
  const keysBefore = await backUpStream(client, `${namespace}-keys`);

  expect(await troupe.eraseKey("diary/42")).toBe(true);

  const keysAfter = await backUpStream(client, `${namespace}-keys`);
  const others = Array<string>(5).fill(`${secret} 43`);
  const erased = Array<string>(5).fill("(erased)");
  // The log and the archive, here and where yesterday's backup of the log was restored.
  const yesterday = await restored([...log, keysAfter], archive);
  for (const each of [troupe, yesterday.troupe]) {
    expect(await textsOf(each, "42")).toEqual(erased);
    expect(await textsOf(each, "43")).toEqual(others);
  }
  // Not in plain text before it was erased either.
  for (const directory of [server.storeDir, yesterday.server.storeDir, archive]) {
    expect(await filesWith(directory, secret)).toEqual([]);
  }
  const again = await troupe.project(notes, sink, { rebuild: true });
  await again.caughtUp();
  expect(sink.read(notes).filter((row) => row.startsWith("42"))).toEqual(
    erased.map((text) => `42: ${text}`),
  );
  expect(sink.read(notes).filter((row) => row.endsWith("43"))).toHaveLength(5);

  // What decides is the key: with the stream of keys as it was, all is there again.
  const undone = await restored([...log, keysBefore], archive);
  expect(await textsOf(undone.troupe, "42")).toEqual(Array(5).fill(`${secret} 42`));
  // And no keys are no erasure.
  const without = await restored(log, archive);
  await expect(textsOf(without.troupe, "43")).rejects.toMatchObject({ code: "missing-key" });
});
