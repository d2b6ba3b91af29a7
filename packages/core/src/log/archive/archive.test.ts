import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { AgentId, JournalEntry, Log, Position } from "@troupe/core/log";
import { createMemoryBroker, memoryArchiveStore, overlay } from "@troupe/testing";
import type { MemoryArchiveStore, MemoryBroker } from "@troupe/testing";
import { acrossArchive, directoryStore, logArchive } from "./index.ts";
import type { Archive, ArchiveStore } from "./index.ts";

const orders = { kind: "agent", name: "order" } as const;
const news = { kind: "topic", name: "news" } as const;
const small = { segmentBytesMax: 4096 };

interface Bench {
  readonly broker: MemoryBroker;
  readonly log: Log;
  readonly store: MemoryArchiveStore;
  readonly archive: Archive;
  readonly faults: string[];
}

function bench(options: { readonly segmentBytesMax?: number } = {}): Bench {
  const broker = createMemoryBroker();
  const log = broker.connect();
  const store = memoryArchiveStore();
  const faults: string[] = [];
  const onFault = (_: string, thrown: unknown): void => void faults.push(codeOf(thrown));
  return { broker, log, store, faults, archive: logArchive(log, store, { ...options, onFault }) };
}

function codeOf(thrown: unknown): string {
  return (thrown as { readonly code: string }).code;
}

/** Stores some records of some agents; their keys are k0, k1, … */
async function fill(log: Log, records: number, keys: number, text = "record"): Promise<Position> {
  for (let index = 0; index < records; index += 1) {
    const agent = { type: "order", key: `k${index % keys}` };
    const expectedRevision = (await journalOf(log, agent)).at(-1)?.revision ?? 0;
    const record = Buffer.from(`${text} ${index} of ${agent.key} `.repeat(5));
    await log.commit([{ agent, expectedRevision, record, outgoing: [] }]);
  }
  return (await log.end()).last;
}

async function journalOf(log: Log, agent: AgentId): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (;;) {
    const page = await log.journal(agent, entries.at(-1)?.revision ?? 0);
    if (page.length === 0) return entries;
    entries.push(...page.map((entry) => ({ ...entry, record: Buffer.from(entry.record) })));
  }
}

const agentOf = (key: string): AgentId => ({ type: "order", key });

async function segments(archive: Archive): Promise<readonly string[]> {
  return (await archive.manifest(orders)).segments.map(({ name }) => name);
}

/** Keys of all entries that the archive has, in its lost segments too. */
async function everyEntry({ archive }: Bench): Promise<readonly string[]> {
  const found: string[] = [];
  const manifest = await archive.manifest(orders);
  const all = { ...manifest, segments: [...manifest.segments, ...manifest.lost] };
  for await (const entries of archive.entries(all, 0)) found.push(...entries.map(({ key }) => key));
  return found;
}

describe("keeping", () => {
  it("writes nothing when it was archived so far before", async () => {
    const { archive, log, store } = bench();
    const last = await fill(log, 10, 2);
    expect(await archive.keep(orders, last)).toBe(last);
    const before = [...store.objects.keys()];
    expect(await archive.keep(orders, 3)).toBe(last);
    expect(await archive.keep(orders, last)).toBe(last);
    expect([...store.objects.keys()]).toEqual(before);
  });

  it("of what the log has not reached is refused by name", async () => {
    const { archive, log } = bench();
    await fill(log, 3, 1);
    await expect(archive.keep(orders, 4)).rejects.toMatchObject({ code: "log-went-back" });
    expect((await archive.manifest(orders)).archivedTo).toBe(0);
  });

  it("moves the frontier also where the chain has nothing", async () => {
    const { archive, log } = bench();
    const last = await fill(log, 3, 1);
    expect(await archive.keep(news, last)).toBe(last);
    expect(await archive.manifest(news)).toMatchObject({ archivedTo: last, segments: [] });
  });

  const moments = ["before", "after"] as const;
  it.each(moments)(
    "that dies %s any call of the store leaves nothing that counts, and goes on later",
    async (when) => {
      for (let [call, isOver] = [1, false]; !isOver; call += 1) {
        const { archive, log, store } = bench(small);
        const last = await fill(log, 60, 4);
        await archive.keep(orders, 20);
        const crashing = logArchive(log, crashingStore(store, { call, when }), small);
        const outcome = await crashing.keep(orders, last).catch(codeOf);
        const { archivedTo, segments: named } = await archive.manifest(orders);
        const counted = named.reduce((sum, { entries }) => sum + entries, 0);
        expect(counted).toBe(archivedTo);
        expect((await archive.check(orders)).faults).toEqual([]);
        // Another process goes on, and takes away what nobody names.
        const next = logArchive(log, store, small);
        expect(await next.keep(orders, last)).toBe(last);
        const across = acrossArchive(log, next);
        expect(await journalOf(across, agentOf("k1"))).toEqual(await journalOf(log, agentOf("k1")));
        expect(await next.sweep(orders)).toBe(0);
        expect([last, "archive-unavailable"]).toContain(outcome);
        isOver = outcome === last;
      }
    },
  );

  it("does not count what the store keeps otherwise than it was written", async () => {
    const { archive, log, store } = bench();
    const last = await fill(log, 20, 2);
    const rotten: ArchiveStore = {
      ...store,
      put: (name, content) => store.put(name, name.endsWith(".keys") ? content : flipped(content)),
    };
    const outcome = await logArchive(log, rotten).keep(orders, last).catch(codeOf);
    expect(outcome).toBe("archive-damaged");
    expect((await archive.manifest(orders)).archivedTo).toBe(0);
  });

  it("by many at once names every entry once", async () => {
    const { archive, log, store } = bench();
    const last = await fill(log, 200, 9);
    const archives = Array.from({ length: 8 }, () => logArchive(log, store, small));
    await Promise.all(archives.map((each, index) => each.keep(orders, last - index)));
    await archive.keep(orders, last);
    const found = await archive.check(orders);
    expect(found).toMatchObject({ entries: 200, faults: [] });
    expect(await archive.sweep(orders)).toBe(0);
  });
});

describe("a process that slept", () => {
  /** A store that does something once, right before the first manifest of a process is created. */
  function sleeping(store: ArchiveStore, meanwhile: () => Promise<unknown>): ArchiveStore {
    let isAwake = false;
    return {
      ...store,
      put: async (name, content) => {
        if (name.includes("/manifest/") && !isAwake) {
          isAwake = true;
          await meanwhile();
        }
        return store.put(name, content);
      },
    };
  }

  it("names nothing that was swept away meanwhile (MANIFEST-3)", async () => {
    const { archive, log, store } = bench();
    const last = await fill(log, 20, 2);
    const slow = logArchive(
      log,
      sleeping(store, () => archive.sweep(orders)),
    );
    expect(await slow.keep(orders, last)).toBe(last);
    expect(await archive.check(orders)).toMatchObject({ entries: 20, faults: [] });
  });

  it("changes nothing by a number that was used and removed long ago (MANIFEST-1)", async () => {
    const made = bench();
    const { archive, log, store } = made;
    await fill(log, 40, 2);
    const manyChanges = async (): Promise<void> => {
      for (let upTo = 1; upTo <= 40; upTo += 1) await archive.keep(orders, upTo);
    };
    const slow = logArchive(log, sleeping(store, manyChanges));
    await slow.erase({ ...orders, key: "k1" });
    expect(await everyEntry(made)).toEqual(Array.from({ length: 20 }, () => "k0"));
    expect(await archive.check(orders)).toMatchObject({ entries: 20, faults: [] });
  });
});

describe("what is damaged or missing", () => {
  it("is an error with the segment and the agent, and other agents go on", async () => {
    const made = bench(small);
    const { archive, log, store } = made;
    await archive.keep(orders, await fill(log, 40, 4));
    const [first] = await segments(archive);
    // Only these two have anything after it.
    await archive.keep(orders, await fill(log, 40, 2, "more".repeat(20)));
    const names = await segments(archive);
    const lost = names.at(-1) ?? "";
    expect(lost).not.toBe(first);
    const across = acrossArchive(log, archive);
    store.objects.delete(lost);
    const wanted = { code: "archive-missing", details: { segment: lost, agent: "order/k0" } };
    await expect(journalOf(across, agentOf("k0"))).rejects.toMatchObject(wanted);
    expect(await journalOf(across, agentOf("k3"))).toEqual(await journalOf(log, agentOf("k3")));
    expect((await archive.check(orders)).faults).toMatchObject([{ code: "archive-missing" }]);
  });

  it("is found at every bit, or changes nothing", async () => {
    const { archive, log, store } = bench();
    await archive.keep(orders, await fill(log, 30, 3));
    const [name = ""] = await segments(archive);
    const whole = store.objects.get(name) ?? new Uint8Array();
    const wanted = await journalOf(log, agentOf("k1"));
    const across = acrossArchive(log, archive);
    for (let at = 0; at < whole.length; at += 7) {
      store.objects.set(name, flipped(whole, at));
      const read = await journalOf(across, agentOf("k1")).catch(codeOf);
      expect(read === "archive-damaged" ? wanted : read).toEqual(wanted);
      expect((await archive.check(orders)).faults).toMatchObject([{ code: "archive-damaged" }]);
    }
  });

  it("as a manifest is an error by name, never an empty archive", async () => {
    const { archive, log, store } = bench();
    await archive.keep(orders, await fill(log, 5, 1));
    for (const [name, bytes] of store.objects) {
      if (name.includes("/manifest/")) store.objects.set(name, flipped(bytes, 200));
    }
    const other = logArchive(log, store);
    await expect(other.manifest(orders)).rejects.toMatchObject({ code: "archive-damaged" });
    await expect(other.keep(orders, 5)).rejects.toMatchObject({ code: "archive-damaged" });
  });
});

describe("erasing", () => {
  it("takes a key out of all segments, and leaves the others as they are", async () => {
    const made = bench(small);
    const { archive, log, store } = made;
    await archive.keep(orders, await fill(log, 120, 3));
    const before = await segments(archive);
    const erased = await archive.erase({ ...orders, key: "k1" });
    expect(erased.entries).toBe(40);
    expect(erased.segments).toBe(before.length);
    const found = await everyEntry(made);
    expect(found).toHaveLength(80);
    expect(found).not.toContain("k1");
    for (const name of before) expect(store.objects.has(name)).toBe(false);
    const across = acrossArchive(log, archive);
    expect(await journalOf(across, agentOf("k0"))).toEqual(await journalOf(log, agentOf("k0")));
    expect(await archive.erase({ ...orders, key: "k1" })).toEqual({ segments: 0, entries: 0 });
  });

  it.each([
    ["write", "/segments/"],
    ["name", "/manifest/"],
  ])("stops who read the key from the log before, and was about to %s it", async (_, part) => {
    const made = bench();
    const { archive, log, store } = made;
    const last = await fill(log, 20, 2);
    let erase: (() => Promise<unknown>) | undefined = () => archive.erase({ ...orders, key: "k1" });
    const truncated = erasedLog(log, "k1");
    const slow: ArchiveStore = {
      ...store,
      put: async (name, content) => {
        if (name.includes(part) && erase !== undefined) {
          const first = erase;
          erase = undefined;
          truncated.erase();
          await first();
        }
        return store.put(name, content);
      },
    };
    await logArchive(truncated.log, slow).keep(orders, last);
    expect(await everyEntry(made)).toEqual(Array.from({ length: 10 }, () => "k0"));
    expect([...store.objects.keys()].filter((name) => name.includes("/segments/"))).toHaveLength(2);
  });

  it("also reaches the segments of a log that went back, and what a crash left", async () => {
    const made = bench();
    const { archive, broker, faults, log, store } = made;
    await archive.keep(orders, await fill(log, 20, 2));
    broker.goBack(10);
    await archive.keep(orders, await fill(log, 4, 1, "after"));
    expect(faults).toEqual(["log-went-back"]);
    await store.put(`${(await segments(archive))[0]}-orphan`, Buffer.from("k1"));
    await archive.erase({ ...orders, key: "k1" });
    expect(await everyEntry(made)).not.toContain("k1");
    const { lost, segments: named } = await archive.manifest(orders);
    const names = new Set([...lost, ...named].map(({ name }) => name));
    const objects = [...store.objects.keys()].filter((name) => name.includes("/segments/"));
    expect(objects).toHaveLength(names.size * 2);
  });
});

describe("a log that went back", () => {
  it("is archived again from where it is the same, and what is lost is kept apart", async () => {
    const { archive, broker, faults, log } = bench(small);
    await archive.keep(orders, await fill(log, 100, 3, "before"));
    broker.goBack(55);
    const last = await fill(log, 70, 3, "after");
    const across = acrossArchive(log, archive);
    // Before anything is archived again, and after.
    for (const upTo of [0, last]) {
      expect(await archive.keep(orders, upTo)).toBeGreaterThanOrEqual(upTo);
      for (const key of ["k0", "k1", "k2"]) {
        expect(await journalOf(across, agentOf(key))).toEqual(await journalOf(log, agentOf(key)));
      }
    }
    expect(faults).toEqual(["log-went-back"]);
    const { lost } = await archive.manifest(orders);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every(({ to }) => to > 55)).toBe(true);
    expect((await archive.check(orders)).faults).toEqual([]);
  });

  it("is another log when it was made anew", async () => {
    const { archive, broker, log } = bench();
    await archive.keep(orders, await fill(log, 10, 1, "before"));
    broker.makeAnew();
    const last = await fill(log, 4, 1, "after");
    const across = acrossArchive(log, archive);
    expect(await journalOf(across, agentOf("k0"))).toEqual(await journalOf(log, agentOf("k0")));
    await archive.keep(orders, last);
    expect((await archive.manifest(orders)).segments).toMatchObject([{ entries: 4 }]);
  });
});

describe("reading while others archive and truncate", () => {
  it("misses nothing (ACROSS-1)", async () => {
    const { archive, log } = bench(small);
    const last = await fill(log, 60, 2);
    const wanted = await journalOf(log, agentOf("k1"));
    let truncatedTo = 0;
    const truncated = overlay(log, {
      journal: async (agent: AgentId, after: Position) => {
        // Right before the log answers, everything was archived and truncated.
        await archive.keep(orders, last - 2);
        truncatedTo = last - 2;
        return log.journal(agent, Math.max(after, truncatedTo));
      },
    });
    expect(await journalOf(acrossArchive(truncated, archive), agentOf("k1"))).toEqual(wanted);
  });

  it("finds what was written anew under another name (ACROSS-2)", async () => {
    const { archive, log, store } = bench();
    const last = await fill(log, 20, 2);
    const wanted = await journalOf(log, agentOf("k1"));
    await archive.keep(orders, last);
    let erasing: Promise<unknown> | undefined;
    const slow: ArchiveStore = {
      ...store,
      get: async (name, range) => {
        if (name.includes("/segments/")) {
          erasing ??= archive.erase({ ...orders, key: "k0" });
          await erasing;
        }
        return store.get(name, range);
      },
    };
    const across = acrossArchive(log, logArchive(log, slow));
    expect(await journalOf(across, agentOf("k1"))).toEqual(wanted);
  });
});

describe("a directory", () => {
  it("that was left in the middle of writing shows it, and a sweep takes it away", async () => {
    const { log } = bench();
    const directory = await mkdtemp(join(tmpdir(), "troupe-archive-"));
    try {
      const store = directoryStore(directory);
      const archive = logArchive(log, store);
      await archive.keep(orders, await fill(log, 5, 1));
      const [name = ""] = await segments(archive);
      await store.put(`${name}.part-0123456789ab`, Buffer.from("half"));
      expect(await logArchive(log, store).keep(orders, 5)).toBe(5);
      const left = await readdir(join(directory, name, ".."));
      expect(left.filter((file) => file.includes(".part-"))).toEqual([]);
      expect((await archive.check(orders)).faults).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

/** The same store, until the process dies: before its n-th call, or before it hears the answer. */
function crashingStore(
  store: ArchiveStore,
  { call, when }: { readonly call: number; readonly when: "before" | "after" },
): ArchiveStore {
  let calls = 0;
  const alive = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    calls += 1;
    if (calls < call) return work();
    if (calls === call && when === "after") await work();
    throw new DeadProcess("The process died.");
  };
  return {
    place: store.place,
    put: (name, content) => alive(() => store.put(name, content)),
    get: (name, range) => alive(() => store.get(name, range)),
    list: (prefix) => alive(() => store.list(prefix)),
    remove: (name) => alive(() => store.remove(name)),
  };
}

class DeadProcess extends Error {
  readonly code = "archive-unavailable";
}

function flipped(bytes: Uint8Array, at = Math.floor(bytes.length / 2)): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A log from which one key can be erased. */
function erasedLog(log: Log, key: string): { readonly log: Log; erase(): void } {
  let isErased = false;
  const follow: Log["follow"] = async function* (request) {
    for await (const entry of log.follow(request)) {
      const isTheirs = entry.kind === "turn" && entry.agent.key === key;
      if (!isErased || !isTheirs) yield entry;
    }
  };
  return {
    erase: () => {
      isErased = true;
    },
    log: overlay(log, { follow }),
  };
}
