/**
 * The broker goes away in the middle of an erasure: the erasure is finished with the same result as
 * one that nobody disturbed, and a member of a cluster that was away for all of it holds nothing
 * either once it is back.
 */
import { createTroupe, TroupeError } from "@troupe/core";
import type { Troupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { decodeJournalRecord, type Erasure } from "@troupe/core/operate";
import { connect, connectLog } from "@troupe/jetstream";
import { startNatsCluster, startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { customer, remarks } from "./erasure/customer.ts";
import { filesWith } from "./erasure/stored-bytes.ts";
import { overlay } from "@troupe/testing";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const namespace = "outage";
const patience = { timeout: 60_000, interval: 100 };
const turns = 60;
const secretOf = (key: string): string => `Quetzalcoatl ${key} Xylophone`;

/** Calls after whose beginning the broker is killed: of the log, or the destroying of a part. */
const moments = [
  "commit",
  "writeCell",
  "accept",
  "snapshot",
  "journal",
  "inputs",
  "dead-letters",
  "timers",
  "publications",
] as const;

let server: NatsServer;
let troupe: Troupe;

beforeAll(async () => {
  server = await startNatsServer();
  troupe = await connect(server.url, { namespace, onFault: false });
});
afterAll(async () => {
  await troupe?.close();
  await server?.stop();
});

async function live(of: Troupe, key: string): Promise<void> {
  const agent = of.agent(customer, key, { timeoutMs: 60_000 });
  const secret = secretOf(key);
  await Promise.all(Array.from({ length: turns }, (_, n) => agent.say(`${secret} ${n}`)));
  await of.publish(remarks, key, { text: secret });
  await of.send(customer, key).fail(secret);
  await agent.remind(secret);
}

/** A log whose broker is killed and started again in the middle of one call. */
function struckLog(log: Log, moment: (typeof moments)[number]): Log & { outage: Promise<void> } {
  const struck = { outage: Promise.resolve() };
  let isOver = false;
  const strike = <Result>(call: () => Promise<Result>): Promise<Result> => {
    const calling = call();
    if (!isOver) struck.outage = server.kill().then(() => server.restart());
    isOver = true;
    return calling;
  };
  const during = (which: string, call: () => Promise<never>): Promise<never> =>
    which === moment ? strike(call) : call();
  return Object.assign(
    overlay(log, {
      commit: (...request) => during("commit", () => log.commit(...request) as Promise<never>),
      accept: (...request) => during("accept", () => log.accept(...request) as Promise<never>),
      writeCell: (...request) =>
        during("writeCell", () => log.writeCell(...request) as Promise<never>),
      destroy: (part, ...request) =>
        during(part.kind, () => log.destroy(part, ...request) as Promise<never>),
    }),
    struck,
  );
}

async function erased(moment: (typeof moments)[number]): Promise<Erasure> {
  const log = struckLog(await connectLog({ servers: server.url, namespace }), moment);
  await using eraser = createTroupe(log, { onFault: false });
  for (;;) {
    try {
      const done = await eraser.erase(customer, moment);
      await log.outage;
      return done;
    } catch (thrown) {
      if (!(thrown instanceof TroupeError && thrown.retryable)) throw thrown;
    }
    await log.outage;
  }
}

async function tombstones(key: string): Promise<number> {
  const kinds: string[] = [];
  for (let after = 0; ;) {
    const page = await troupe.log.journal({ type: "customer", key }, after);
    for (const { record, revision } of page) {
      kinds.push(decodeJournalRecord(record).kind);
      after = revision;
    }
    if (page.length === 0) return kinds.filter((kind) => kind === "tombstone").length;
  }
}

/** What is told of an erasure, but for what the worker may have taken away itself. */
function told({ parts, sentCount }: Erasure): unknown {
  const counts = parts.filter(({ part }) => part !== "snapshot");
  return { sentCount, counts: counts.map(({ count, part }) => [part, count]) };
}

test("a broker that is killed in the middle of it changes nothing of its result", async () => {
  const worker = await troupe.work(customer, { retry: { attemptsMax: 1 }, snapshotTurns: 5 });
  for (const key of [...moments, "whole", "other"]) await live(troupe, key);
  const whole = told(await troupe.erase(customer, "whole"));
  for (const moment of moments) {
    expect([moment, told(await erased(moment))]).toEqual([moment, whole]);
    expect(await tombstones(moment)).toBe(1);
  }
  const left = async (): Promise<readonly string[]> => {
    const found = await Promise.all(
      ["whole", ...moments].map((key) => filesWith(server.storeDir, secretOf(key))),
    );
    return found.flat();
  };
  await vi.waitFor(async () => expect(await left()).toEqual([]), patience);
  expect(await troupe.agent(customer, "other").look({})).toHaveLength(turns + 1);
  for (const moment of moments) expect(await troupe.agent(customer, moment).look({})).toEqual([]);
  await worker.stop();
});

test("a member that was away for the whole of it holds nothing once it has caught up", async () => {
  await using cluster = await startNatsCluster({ size: 3 });
  const behind = cluster.servers.at(-1);
  if (behind === undefined) throw new Error("The cluster has no members.");
  await using far = await connect({
    servers: cluster.urls,
    namespace,
    replicas: 3,
    onFault: false,
  });
  const worker = await far.work(customer, { retry: { attemptsMax: 1 }, snapshotTurns: 5 });
  await live(far, "behind");
  await live(far, "other");
  await vi.waitFor(async () => {
    expect(await filesWith(behind.storeDir, secretOf("behind"))).not.toEqual([]);
  }, patience);
  await behind.kill();
  await far.agent(customer, "behind", { timeoutMs: 60_000 }).say(secretOf("behind"));
  // The streams that the member led have no leader for a moment.
  await vi.waitFor(async () => {
    const { done } = await far.erase(customer, "behind");
    expect(done).toBe(true);
  }, patience);
  await behind.restart();
  // What the members agreed on stays in their own log for some minutes (docs/guides/erasure.md).
  const left = async (): Promise<readonly string[]> => {
    const found = await Promise.all(
      cluster.servers.map(({ storeDir }) => filesWith(storeDir, secretOf("behind"))),
    );
    return found.flat().filter((file) => !file.includes("/_js_/"));
  };
  await vi.waitFor(async () => expect(await left()).toEqual([]), patience);
  expect(await far.agent(customer, "other", { timeoutMs: 60_000 }).look({})).toHaveLength(
    turns + 1,
  );
  await worker.stop();
});
