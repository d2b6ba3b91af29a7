/** The rules of the store of keys (KEYSTORE-1 to KEYSTORE-3). */
import assert from "node:assert/strict";

import { subjectKeys } from "@troupe/core/engine";
import { bytes, range, text } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { rejectsWith } from "./observe.ts";
import { until } from "./until.ts";

export const keyStoreChecks: readonly LogCheck[] = [
  {
    name: "KEYSTORE-1, KEYSTORE-3: a key is what was written last, for everybody at once; a write names the revision before",
    async run(harness) {
      const [{ keys }, other] = [await harness.connect(), await harness.connect()];
      assert.equal(await keys.read("somebody"), undefined);
      await rejectsWith(keys.write("somebody", bytes("none"), 7), "revision-conflict");
      const first = await keys.write("somebody", bytes("first"), 0);
      await rejectsWith(other.keys.write("somebody", bytes("again"), 0), "revision-conflict");
      const second = await other.keys.write("somebody", bytes("second"), first);
      assert.ok(second > first, "revisions grow");
      const found = await keys.read("somebody");
      assert.deepEqual([found?.revision, text(found?.value ?? bytes(""))], [second, "second"]);
      assert.equal(await keys.read("somebody-else"), undefined);
    },
  },
  {
    name: "KEYSTORE-2: what was shredded is replaced for everybody, and shredding again is allowed",
    async run(harness) {
      const [{ keys }, other] = [await harness.connect(), await harness.connect()];
      const first = await keys.write("somebody", bytes("secret"), 0);
      await rejectsWith(keys.shred("somebody", bytes("gone"), first + 7), "revision-conflict");
      const gone = await keys.shred("somebody", bytes("gone"), first);
      assert.equal(text((await other.keys.read("somebody"))?.value ?? bytes("")), "gone");
      const again = await other.keys.shred("somebody", bytes("gone again"), gone);
      assert.equal((await keys.read("somebody"))?.revision, again);
    },
  },
  {
    name: "who watches the keys hears which changed",
    async run(harness) {
      const [{ keys }, other] = [await harness.connect(), await harness.connect()];
      const heard: string[] = [];
      other.keys.onChange((name) => heard.push(name));
      let revision = 0;
      // A hint may be lost, so there is another one until it is heard.
      await until(harness, "the change is heard", async () => {
        revision = await keys.write("watched", bytes("x"), revision);
        return heard.includes("watched");
      });
      assert.deepEqual([...new Set(heard)], ["watched"]);
    },
  },
  {
    name: "KEY-1: processes that make the first keys at the same moment have the same ones",
    async run(harness) {
      const logs = await Promise.all(range(4).map(() => harness.connect()));
      const made = await Promise.all(
        logs.map((log) => subjectKeys(log).make(["customer/42", "customer/43"])),
      );
      const [first, ...others] = made.map((keys) => [
        keys.get("customer/42"),
        keys.get("customer/43"),
      ]);
      for (const other of others) assert.deepEqual(other, first);
      const ids = new Set(first?.map((key) => key?.id));
      assert.equal(ids.size, 2, "two people have two keys");
    },
  },
  {
    name: "KEY-3: an erased key is known as erased, a missing one is not",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const [keys, others] = [subjectKeys(log), subjectKeys(other)];
      const key = (await keys.make(["customer/42"])).get("customer/42");
      assert.ok(key);
      assert.notEqual([...(await others.learn([key])).values()].at(0), "erased");
      assert.equal(await keys.erase("customer/42"), true);
      assert.equal(await keys.erase("customer/42"), false, "there is nothing left to erase");
      await until(harness, "the other process knows", async () => {
        return [...(await others.learn([key])).values()].at(0) === "erased";
      });
      const next = (await others.make(["customer/42"])).get("customer/42");
      assert.notEqual(next?.id, key.id);
      assert.equal([...(await keys.learn([key])).values()].at(0), "erased");
      await rejectsWith(keys.learn([{ name: key.name, id: "another" }]), "missing-key");
      await rejectsWith(keys.learn([{ name: "nobody", id: "another" }]), "missing-key");
    },
  },
];
