/**
 * The process that erases a customer is killed in the middle, again and again: the erasure is
 * finished by doing it again, with the same result as one that nobody killed, and a new life stays.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Troupe } from "@troupe/core";
import { decodeJournalRecord, type Erasure } from "@troupe/core/operate";
import { directoryStore } from "@troupe/core/archive";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { startErasing } from "./erasure/erase-program-settings.ts";
import { customer, remarks } from "./erasure/customer.ts";
import { filesWith } from "./erasure/stored-bytes.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const namespace = "desk";
const patience = { timeout: 30_000, interval: 50 };
/** Enough that a kill comes while its messages are destroyed. */
const turns = 150;
const secretOf = (key: string): string => `Quetzalcoatl ${key} Xylophone`;

let folder: string;
let server: NatsServer;
let troupe: Troupe;
let archive: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-erase-kill-"));
  archive = join(folder, "archive");
  server = await startNatsServer();
  const store = directoryStore(archive);
  troupe = await connect(server.url, { namespace, archive: store, onFault: false });
});
afterAll(async () => {
  await troupe?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function live(key: string): Promise<void> {
  const agent = troupe.agent(customer, key);
  const secret = secretOf(key);
  await Promise.all(Array.from({ length: turns }, (_, n) => agent.say(`${secret} ${n}`)));
  await troupe.publish(remarks, key, { text: secret });
  await troupe.send(customer, key).fail(secret);
  await agent.remind(secret);
}

async function tombstones(key: string): Promise<number> {
  let count = 0;
  for (let after = 0; ;) {
    const page = await troupe.log.journal({ type: "customer", key }, after);
    for (const { record, revision } of page) {
      if (decodeJournalRecord(record).kind === "tombstone") count += 1;
      after = revision;
    }
    if (page.length === 0) return count;
  }
}

/** Report of an erasure, but for what the worker may have taken away itself. */
function told({ key, parts, sentCount }: Erasure): unknown {
  const counts = parts.filter(({ part }) => part !== "snapshot");
  return { key, sentCount, counts: counts.map(({ count, part }) => [part, count]) };
}

test("it is finished with the same result, whenever its process was killed", async () => {
  const others = await troupe.work(customer, { retry: { attemptsMax: 1 } });
  await live("killed");
  await live("whole");
  await live("other");
  const { last } = await troupe.log.end();
  await troupe.archive?.keep({ kind: "agent", name: "customer" }, last);
  await troupe.archive?.keep({ kind: "topic", name: "remarks" }, last);
  await others.stop();
  const settings = { url: server.url, namespace, key: "killed", archive };
  {
    await using eraser = await startErasing({ ...settings, says: "journal" });
    await eraser.said("begins");
    await eraser.kill();
  }
  // Part of its journal is there: it was in the middle.
  expect(await filesWith(server.storeDir, secretOf("killed"))).not.toEqual([]);
  for (const standsBefore of ["snapshot", "inputs", "dead-letters", "timers", "publications"]) {
    await using eraser = await startErasing({ ...settings, standsBefore });
    await eraser.said("stands");
    await eraser.kill();
    // It can begin a new life meanwhile.
    if (standsBefore !== "inputs") continue;
    await using worker = await troupe.work(customer);
    expect(await troupe.agent(customer, "killed").say("new")).toBe(1);
    await worker.stop();
  }
  await using eraser = await startErasing(settings);
  const finished = (await eraser.said("erased"))["erasure"] as Erasure;
  await eraser.ended();

  const whole = await troupe.erase(customer, "whole");
  expect(finished.resumed).toBe(true);
  expect(told(finished)).toEqual(told(whole));
  expect(await tombstones("killed")).toBe(1);
  const left = async (): Promise<readonly string[]> => [
    ...(await filesWith(server.storeDir, secretOf("killed"))),
    ...(await filesWith(archive, secretOf("killed"))),
  ];
  await vi.waitFor(async () => expect(await left()).toEqual([]), patience);
  await troupe.work(customer);
  expect(await troupe.agent(customer, "killed").look({})).toEqual(["new"]);
  const other = await troupe.agent(customer, "other").look({});
  expect(other).toHaveLength(turns + 1);
  expect(await filesWith(server.storeDir, secretOf("other"))).not.toEqual([]);
});
