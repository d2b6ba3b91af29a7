/** Timers are set once in the new namespace, however often a move is begun. */
import type { InputDraft, Log, TurnCommit } from "@troupe/core/log";
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog, openSessions } from "../connect-log.ts";
import { startNatsServer, type NatsServer } from "../server/index.ts";
import { moveTimers } from "./moved-timers.ts";

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

const soonMs = 200;

async function withTimers(log: Log, count: number): Promise<void> {
  const timers = Array.from({ length: count }, (_, i) => {
    const address = { kind: "agent", name: "account", key: `to-${i}` } as const;
    const metadata = { id: `fires-${i}`, message: "ring" };
    const message: InputDraft = { address, metadata, payload: Buffer.from("{}") };
    const time = { atMs: Date.now() + (i === 0 ? soonMs : 3_600_000) };
    return { kind: "set", id: `t${i}`, message, time } as const;
  });
  const turn: TurnCommit = {
    agent: { type: "account", key: "alice" },
    expectedRevision: 0,
    record: Buffer.from("x"),
    outgoing: [],
    timers,
  };
  await log.commit([turn]);
}

test("one that has fired since is not set a second time", async () => {
  const from = (await openSessions({ servers: server.url, namespace: "told" })).first;
  const to = (await openSessions({ servers: server.url, namespace: "sets", partitions: 32 })).first;
  const old = await connectLog({ servers: server.url, namespace: "told" });
  const moved = await connectLog({ servers: server.url, namespace: "sets" });
  await withTimers(old, 3);
  expect(await moveTimers(from, to)).toBe(3);
  const inputs = async (): Promise<number> => {
    const agent = { type: "account", key: "to-0" };
    return (await moved.inputsOf(agent, [], 0, Infinity)).length;
  };
  await expect.poll(inputs, { timeout: 10_000 }).toBe(1);
  expect(await moveTimers(from, to)).toBe(0);
  await Promise.all([old.close(), moved.close(), from.link.close(), to.link.close()]);
});
