/** Timers on the server: their leftovers, a replacement at the last moment, and three replicas. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial } from "@nats-io/transport-node";
import { TroupeError } from "@troupe/core";
import type { Input, Log, TimerChange, TimerTime, TurnCommit } from "@troupe/core/log";
import { expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsCluster, startNatsServer } from "./server/index.ts";

const patience = { timeout: 60_000 };

function set(id: string, key: string, time: TimerTime): TimerChange {
  const address = { kind: "agent", name: "account", key } as const;
  const metadata = { id: `id of ${key}`, timer: id };
  return { kind: "set", id, time, message: { address, metadata, payload: Buffer.from(key) } };
}

function turn(
  key: string,
  expectedRevision: number,
  timers: readonly TimerChange[] = [],
): TurnCommit {
  const record = Buffer.from(`turn of ${key}`);
  return { agent: { type: "account", key }, expectedRevision, record, outgoing: [], timers };
}

/** Inputs that timers sent so far. */
async function fired(log: Log): Promise<Input[]> {
  const inputs: Input[] = [];
  for await (const entry of log.follow({ from: 1, untilNow: true })) {
    if (entry.kind === "input") inputs.push(entry.input);
  }
  return inputs;
}

test("nothing is left of timers that fired, were replaced or cancelled", async () => {
  await using server = await startNatsServer();
  const log = await connectLog({ servers: server.url, namespace: "left" });
  const soon = { atMs: Date.now() + 300 };
  const first = [set("a", "a", soon), set("b", "b", soon), set("c", "c", { everyMs: 60_000 })];
  const [revision = 0] = await log.commit([turn("alice", 0, first)]);
  const cancel = (id: string): TimerChange => ({ kind: "cancel", id });
  const [last = 0] = await log.commit([turn("alice", revision, [set("b", "later", soon)])]);
  await expect.poll(() => fired(log), patience).toHaveLength(2);
  await log.commit([turn("alice", last, [cancel("a"), cancel("b"), cancel("c")])]);
  const client = await dial({ servers: server.url });
  const manager = await jetstreamManager(client);
  const { state } = await manager.streams.info("left-0", { subjects_filter: "left.>" });
  const subjects = Object.keys(state.subjects ?? {}).toSorted();
  expect(subjects.filter((subject) => !subject.includes(".in."))).toEqual([
    "left.7.journal.account.alice",
  ]);
  await client.close();
  await log.close();
});

test(
  "a timer that replaces one at the moment it fires is not lost",
  { timeout: 60_000 },
  async () => {
    await using server = await startNatsServer();
    const log = await connectLog({ servers: server.url, namespace: "race" });
    const atMs = Date.now() + 1000;
    const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`);
    const ids = Array.from({ length: 20 }, (_, i) => `${i}`);
    // So many at once that the server takes a while from looking what is due to having stored it
    // all.
    const revisions = await Promise.all(
      keys.map(async (key) => {
        const timers = ids.map((id) => set(id, `${key}-${id}`, { atMs }));
        return (await log.commit([turn(key, 0, timers)]))[0] ?? 0;
      }),
    );
    const replacing = keys.map(async (key, i) => {
      const whenMs = atMs + 3 * i;
      await expect.poll(() => Date.now(), { ...patience, interval: 1 }).toBeGreaterThan(whenMs);
      const timers = ids.map((id) => set(id, `again ${key}-${id}`, { atMs: whenMs + 2000 }));
      await log.commit([turn(key, revisions[i] ?? 0, timers)]);
    });
    await Promise.all(replacing);
    const again = async (): Promise<Input[]> =>
      (await fired(log)).filter(({ address }) => address.key.startsWith("again"));
    await expect.poll(again, { ...patience, interval: 200 }).toHaveLength(keys.length * ids.length);
    await log.close();
  },
);

test(
  "on three replicas timers fire, each once, also when the leader is killed",
  { timeout: 120_000 },
  async () => {
    await using cluster = await startNatsCluster();
    const log = await connectLog({ servers: cluster.urls, namespace: "timers", replicas: 3 });
    const atMs = Date.now() + 3000;
    const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`);
    for (const key of keys) await committed(log, turn(key, 0, [set("t", key, { atMs })]));
    const client = await dial({ servers: [...cluster.urls] });
    const { cluster: members } = await (await jetstreamManager(client)).streams.info("timers-0");
    await client.close();
    // Members are called after their number, from 1 on.
    const leader = Number(members?.leader?.at(-1)) - 1;
    expect(cluster.servers[leader]).toBeDefined();
    await cluster.servers[leader]?.kill();
    const names = async (): Promise<string[]> =>
      (await fired(log).catch(() => [])).map(({ address }) => address.key).toSorted();
    await expect.poll(names, patience).toEqual(keys.toSorted());
    await log.close();
  },
);

/** Commit as an engine does: after an unknown outcome look at the journal. */
async function committed(log: Log, what: TurnCommit): Promise<void> {
  await expect
    .poll(async () => {
      await log.commit([what]).catch((error: unknown) => {
        if (!(error instanceof TroupeError)) throw error;
      });
      return log.journal(what.agent, 0).catch(() => []);
    }, patience)
    .toHaveLength(1);
}
