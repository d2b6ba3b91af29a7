/**
 * Following several types from far behind the end of the stream: everything of theirs, in order.
 */
import type { LogEntry, Position } from "@troupe/core/log";
import { expect, onTestFinished, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer } from "./server/index.ts";

const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`);
const rounds = 50;

test("a follower of two of three types gets all of theirs in order, far behind and at the end", async () => {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  const log = await connectLog({ servers: server.url, namespace: "far" });
  onTestFinished(() => log.close());
  const revisions = new Map<string, Position>();
  const stored: { readonly type: string; readonly position: Position }[] = [];
  const round = async (type: string): Promise<void> => {
    const turns = keys.map((key) => ({
      agent: { type, key },
      expectedRevision: revisions.get(`${type}/${key}`) ?? 0,
      record: Buffer.alloc(100, 1),
      outgoing: [],
    }));
    for (const [index, position] of (await log.commit(turns)).entries()) {
      revisions.set(`${type}/${keys[index] ?? ""}`, position);
      stored.push({ type, position });
    }
  };
  const types = ["first", "second", "third"];
  for (let i = 0; i < rounds; i++) for (const type of types) await round(type);
  const wanted = { types: ["first", "second"], kinds: ["turn"] } as const;
  const expected = (): Position[] =>
    stored.filter(({ type }) => type !== "third").map(({ position }) => position);

  const perRound = keys.length * wanted.types.length;
  const pending: number[] = [];
  const seen: Position[] = [];
  const follow = { from: 1, ...wanted, onPending: (count: number) => void pending.push(count) };
  for await (const entry of log.follow(follow)) {
    seen.push(revisionOf(entry));
    // It is at the end, and more comes.
    if (seen.length === rounds * perRound) for (const type of types) await round(type);
    if (seen.length === (rounds + 1) * perRound) break;
  }
  expect(seen).toEqual(expected());
  expect(pending.at(-1), "at the end it is exact").toBe(0);
  const all = await Array.fromAsync(log.follow({ from: 1, untilNow: true, ...wanted }));
  expect(all.map(revisionOf)).toEqual(expected());
});

function revisionOf(entry: LogEntry): Position {
  return entry.kind === "turn" ? entry.entry.revision : Number.NaN;
}
