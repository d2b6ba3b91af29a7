/**
 * Laws of archives on random histories: after any archiving, by any number at once, in segments of
 * any size, and any truncation, archive and log read as one are what the log was.
 */
import fc from "fast-check";
import { expect, test } from "vitest";

import type { AgentId, JournalEntry, Log, LogEntry, Position } from "@troupe/core/log";
import { createMemoryBroker, memoryArchiveStore } from "@troupe/testing";
import type { MemoryBroker } from "@troupe/testing";
import { truncatedLog } from "../../../fixtures/truncated-log.ts";
import { acrossArchive, logArchive } from "./index.ts";
import type { Archive } from "./index.ts";

const types = ["account", "order"] as const;
const keys = ["a", "b", "c", "ä/%.*"] as const;
const topics = ["news", "gossip"] as const;

type Move =
  | { readonly kind: "turn"; readonly type: string; readonly key: string; readonly bytes: number }
  | { readonly kind: "input"; readonly type: string; readonly key: string; readonly bytes: number }
  | { readonly kind: "news"; readonly topic: string; readonly key: string; readonly bytes: number }
  | { readonly kind: "keep"; readonly chain: number; readonly by: number; readonly part: number }
  | { readonly kind: "truncate"; readonly type: string; readonly key: string };

const type = fc.constantFrom(...types);
const key = fc.constantFrom(...keys);
const bytes = fc.integer({ min: 1, max: 1500 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("turn"), type, key, bytes }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("input"), type, key, bytes }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("news"),
      topic: fc.constantFrom(...topics),
      key,
      bytes,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("keep"),
      chain: fc.nat(3),
      by: fc.integer({ min: 1, max: 3 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate"), type, key }) },
);

const chains = [
  ...types.map((name) => ({ kind: "agent", name }) as const),
  ...topics.map((name) => ({ kind: "topic", name }) as const),
];

interface World {
  readonly broker: MemoryBroker;
  readonly whole: Log;
  readonly log: Log;
  readonly archives: readonly Archive[];
  readonly truncate: (this: void, agent: AgentId, upTo: Position) => void;
}

function newWorld(segmentBytesMax: number): World {
  const broker = createMemoryBroker();
  const whole = broker.connect();
  const { log, truncate } = truncatedLog(whole);
  const store = memoryArchiveStore();
  const archives = Array.from({ length: 3 }, () => logArchive(log, store, { segmentBytesMax }));
  return { broker, whole, log, archives, truncate };
}

async function make(world: World, each: Move): Promise<void> {
  const { archives, log, whole } = world;
  if (each.kind === "turn") return storeTurn(whole, { type: each.type, key: each.key }, each.bytes);
  if (each.kind === "input" || each.kind === "news") {
    const isNews = each.kind === "news";
    const name = isNews ? each.topic : each.type;
    await whole.accept({
      address: { kind: isNews ? "topic" : "agent", name, key: each.key },
      metadata: { message: "add", traceparent: `00-${each.bytes}`, deadlineMs: each.bytes },
      payload: Buffer.alloc(each.bytes, each.bytes),
    });
    return;
  }
  if (each.kind === "keep") {
    const { last } = await log.end();
    const chain = chains[each.chain];
    if (chain === undefined) throw new Error("no such chain");
    const upTo = Math.ceil(last * each.part);
    await Promise.all(archives.slice(0, each.by).map((archive) => archive.keep(chain, upTo)));
    return;
  }
  const [archive] = archives;
  const manifest = await archive?.manifest({ kind: "agent", name: each.type });
  const last = (await journalOf(whole, each)).at(-1)?.revision ?? 0;
  // The last record, the fence, stays.
  world.truncate(each, Math.min(manifest?.archivedTo ?? 0, last - 1));
}

async function storeTurn(log: Log, agent: AgentId, size: number): Promise<void> {
  const expectedRevision = (await journalOf(log, agent)).at(-1)?.revision ?? 0;
  const record = Buffer.alloc(size, size);
  await log.commit([{ agent, expectedRevision, record, outgoing: [] }]);
}

async function journalOf(log: Log, agent: AgentId): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (;;) {
    const page = await log.journal(agent, entries.at(-1)?.revision ?? 0);
    if (page.length === 0) return entries;
    entries.push(...page.map((entry) => ({ ...entry, record: Buffer.from(entry.record) })));
  }
}

async function followed(log: Log, request: object): Promise<readonly unknown[]> {
  const entries: unknown[] = [];
  for await (const entry of log.follow({ from: 1, untilNow: true, ...request })) {
    entries.push(comparable(entry));
  }
  return entries;
}

/** The entry without properties that are undefined, which a decoder leaves out. */
function comparable(entry: LogEntry): unknown {
  return JSON.parse(JSON.stringify(entry)) as unknown;
}

async function expectWhole({ archives: [archive], log, whole }: World): Promise<void> {
  if (archive === undefined) throw new Error("no archive");
  const across = acrossArchive(log, archive);
  for (const each of types.flatMap((name) => keys.map((own) => ({ type: name, key: own })))) {
    expect(await journalOf(across, each)).toEqual(await journalOf(whole, each));
  }
  for (const request of [
    {},
    { kinds: ["turn"], types: ["account"] },
    { kinds: ["turn", "input"], types: ["account", "order"], topics: [] },
    { kinds: ["input"], topics: ["news"], types: [] },
    { from: 7, kinds: ["turn"], types: ["order"] },
  ]) {
    expect(await followed(across, request)).toEqual(await followed(whole, request));
  }
}

test("archive and truncated log, read as one, are the log as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(move, { minLength: 5, maxLength: 60 }),
      fc.constantFrom(4096, 20_000, 1_000_000),
      async (moves, segmentBytesMax) => {
        const world = newWorld(segmentBytesMax);
        for (const each of moves) await make(world, each);
        await expectWhole(world);
        await world.whole.close();
      },
    ),
    { numRuns: 60 },
  );
});

test("the law can fail: it does when somebody truncates beyond what is archived", async () => {
  const world = newWorld(4096);
  const agent = { type: "account", key: "a" };
  for (let turn = 0; turn < 5; turn += 1) await storeTurn(world.whole, agent, 10);
  await world.archives[0]?.keep({ kind: "agent", name: "account" }, 2);
  world.truncate(agent, 4);
  await expect(expectWhole(world)).rejects.toThrow(/deeply equal/);
});

test("the number of segments stays small, however often little is archived (CHAIN-3)", async () => {
  const world = newWorld(1_000_000);
  const [archive] = world.archives;
  for (let turn = 1; turn <= 200; turn += 1) {
    await storeTurn(world.whole, { type: "account", key: `k${turn % 7}` }, 100);
    await archive?.keep({ kind: "agent", name: "account" }, turn);
  }
  const manifest = await archive?.manifest({ kind: "agent", name: "account" });
  expect(manifest?.segments.length).toBeLessThan(10);
  expect(manifest?.segments.reduce((sum, { entries }) => sum + entries, 0)).toBe(200);
  await expectWhole(world);
});
