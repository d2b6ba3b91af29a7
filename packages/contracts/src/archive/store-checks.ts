/**
 * All rules of the store port (STORE-1 to STORE-3 in archive-store.ts), and of archives on a store.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import type { ArchiveStore } from "@troupe/core/archive";
import { logArchive, acrossArchive } from "@troupe/core/archive";
import type { Log } from "@troupe/core/log";
import { CounterLog } from "../projection/counter-log.ts";
import { rejectsWith } from "../observe.ts";
import type { StoreCheck } from "./store-harness.ts";

export const storeChecks: readonly StoreCheck[] = [
  {
    name: "what was put is what is got, whatever its bytes",
    async run(harness) {
      const [store, other] = [await harness.connect(), await harness.connect()];
      for (const bytes of [1, 2, 1023, 100_000, 5_000_000]) {
        const content = randomBytes(bytes);
        assert.equal(await store.put(`sizes/${bytes}`, content), true);
        sameBytes(await bytesOf(other, `sizes/${bytes}`), content);
      }
    },
  },
  {
    name: "what is not there is undefined",
    async run(harness) {
      const store = await harness.connect();
      assert.equal(await store.get("nothing"), undefined);
      assert.equal(await store.get("no/thing", { from: -10, bytes: 10 }), undefined);
      assert.deepEqual(await store.list("no/"), []);
      await store.remove("nothing");
    },
  },
  {
    name: "a name that is taken stays what it is (STORE-2)",
    async run(harness) {
      const [store, other] = [await harness.connect(), await harness.connect()];
      assert.equal(await store.put("a/b", Buffer.from("first")), true);
      assert.equal(await other.put("a/b", Buffer.from("second")), false);
      assert.equal(String(await bytesOf(store, "a/b")), "first");
    },
  },
  {
    name: "of many that create one name at once exactly one does (STORE-2)",
    async run(harness) {
      const stores = await Promise.all(Array.from({ length: 6 }, () => harness.connect()));
      for (let round = 0; round < 5; round += 1) {
        const name = `race/${round}`;
        const created = await Promise.all(
          stores.map((store, index) => store.put(name, Buffer.from(`writer ${index}`))),
        );
        assert.equal(created.filter(Boolean).length, 1, "how many created it");
        const there = String(await bytesOf(await harness.connect(), name));
        assert.equal(there, `writer ${created.indexOf(true)}`);
      }
    },
  },
  {
    name: "a range is that part of the object, cut where it ends",
    async run(harness) {
      const store = await harness.connect();
      const content = randomBytes(10_000);
      await store.put("ranges", content);
      const ranges: readonly [number, number, Buffer][] = [
        [0, 1, content.subarray(0, 1)],
        [9_999, 1, content.subarray(9_999)],
        [100, 900, content.subarray(100, 1000)],
        [9_000, 5_000, content.subarray(9_000)],
        [-24, 24, content.subarray(9_976)],
        [-100, 40, content.subarray(9_900, 9_940)],
        [-50_000, 50_000, content],
      ];
      for (const [from, bytes, wanted] of ranges) {
        const part = await store.get("ranges", { from, bytes });
        assert.ok(part !== undefined);
        sameBytes(part, wanted, `${bytes} bytes from ${from}`);
      }
    },
  },
  {
    name: "a list has everything below a prefix, by name, with its size (STORE-3)",
    async run(harness) {
      const store = await harness.connect();
      const names = ["x/a", "x/b/c", "x/b/d", "xy/a", "y"].toSorted();
      for (const name of names.toReversed()) await store.put(name, Buffer.from(name));
      const list = async (prefix: string): Promise<readonly string[]> =>
        (await store.list(prefix)).map(({ bytes, name }) => `${name} ${bytes}`);
      assert.deepEqual(await list(""), ["x/a 3", "x/b/c 5", "x/b/d 5", "xy/a 4", "y 1"]);
      assert.deepEqual(await list("x/"), ["x/a 3", "x/b/c 5", "x/b/d 5"]);
      assert.deepEqual(await list("x"), ["x/a 3", "x/b/c 5", "x/b/d 5", "xy/a 4"]);
      assert.deepEqual(await list("x/b/d"), ["x/b/d 5"]);
    },
  },
  {
    name: "a list has everything, however much there is",
    async run(harness) {
      const store = await harness.connect();
      const names = Array.from(
        { length: 1234 },
        (_, index) => `many/${String(index).padStart(5, "0")}`,
      );
      for (let at = 0; at < names.length; at += 64) {
        await Promise.all(
          names.slice(at, at + 64).map((name) => store.put(name, Buffer.from("1"))),
        );
      }
      assert.deepEqual(
        (await store.list("many/")).map(({ name }) => name),
        names,
      );
    },
  },
  {
    name: "what was removed is gone, and its name is free (STORE-3)",
    async run(harness) {
      const [store, other] = [await harness.connect(), await harness.connect()];
      await store.put("gone", Buffer.from("1"));
      await other.remove("gone");
      await store.remove("gone");
      assert.equal(await store.get("gone"), undefined);
      assert.deepEqual(await store.list("gone"), []);
      assert.equal(await store.put("gone", Buffer.from("2")), true);
      assert.equal(String(await bytesOf(other, "gone")), "2");
    },
  },
  {
    name: "a name may have everything that is allowed in one, and nothing else",
    async run(harness) {
      const store = await harness.connect();
      const name = "orders-0%202026-11-28T16%3A36%3A42.5Z/agent.order/seg=1+2,3@x~_/a.keys";
      await store.put(name, Buffer.from("odd"));
      assert.equal(String(await bytesOf(store, name)), "odd");
      assert.deepEqual(await store.list(name.slice(0, 30)), [{ name, bytes: 3 }]);
      for (const bad of ["", "a//b", "/a", "a/", "../a", "a/./b", "a b", "a\u0000", "ä", 'a"b']) {
        await rejectsWith(store.put(bad, Buffer.from("1")), "archive-refused");
        await rejectsWith(store.get(bad), "archive-refused");
      }
    },
  },
  {
    name: "what is put is what it was at the call",
    async run(harness) {
      const store = await harness.connect();
      const content = Buffer.alloc(200_000, 1);
      const putting = store.put("changed", content);
      await putting;
      content.fill(2);
      sameBytes(await bytesOf(store, "changed"), Buffer.alloc(200_000, 1));
    },
  },
  {
    name: "archives of two processes at once have everything once, and are read with the log as one",
    async run(harness) {
      await using log = new CounterLog();
      const { log: journals } = log.troupe();
      const options = { segmentBytesMax: 4096 };
      const archives = [await harness.connect(), await harness.connect()].map((store) =>
        logArchive(journals, store, options),
      );
      const [archive] = archives;
      assert.ok(archive !== undefined);
      for (let round = 0; round < 3; round += 1) {
        await log.countMany(40, round * 40);
        const { last } = await journals.end();
        const upTo = await Promise.all(archives.map((each) => each.keep(counters, last)));
        assert.deepEqual(upTo, [last, last]);
        assert.deepEqual((await archive.check(counters)).faults, []);
        const across = await records(acrossArchive(journals, archive));
        assert.deepEqual(across, await records(journals));
      }
    },
  },
];

async function bytesOf(store: ArchiveStore, name: string): Promise<Buffer> {
  const bytes = await store.get(name);
  assert.ok(bytes !== undefined, `${name} is there`);
  return Buffer.from(bytes);
}

/** Compares bytes without a list of all that differs. */
function sameBytes(found: Uint8Array, wanted: Uint8Array, what = "the bytes"): void {
  assert.equal(found.length, wanted.length, `length of ${what}`);
  assert.ok(Buffer.compare(found, wanted) === 0, `${what} are the same`);
}

const counters = { kind: "agent", name: "counter" } as const;

async function records(log: Log): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const request = { from: 1, untilNow: true, kinds: ["turn"], types: [counters.name] } as const;
  for await (const entry of log.follow(request)) found.push(entry);
  return found;
}
