/** Misfits: messages of ours without a usable address, read like a partition of their own. */
import assert from "node:assert/strict";

import { toInquiries, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect, collectAll, everything, haveTogether } from "./observe.ts";

export const misfitChecks: readonly LogCheck[] = [
  {
    name: "misfits come on misfits only, and nothing else does",
    async run(harness) {
      const log = await harness.connect();
      const collectors = collectAll(harness, log);
      const misfits = collect(harness, log, { source: "misfits" });
      await harness.publishMisfit();
      await log.accept(toInquiries("alice", "good"));
      await log.commit([turn("alice", 0)]);
      await harness.publishMisfit();
      await haveTogether(harness, collectors, 1);
      await misfits.has(2);
      await log.flush();
      assert.equal(misfits.inputs.length, 2);
      assert.ok(misfits.inputs.every((input) => input.fault !== undefined));
      const [first] = misfits.inputs;
      assert.deepEqual((await log.input(first?.position ?? 0))?.fault?.code, first?.fault?.code);
      const inputs = collectors.flatMap((collector) => collector.contents());
      assert.deepEqual(inputs, ["good"]);
    },
  },
  {
    name: "misfits are read after a position, with credit, until stopped",
    async run(harness) {
      const log = await harness.connect();
      for (let i = 0; i < 5; i++) await harness.publishMisfit();
      const all = collect(harness, log, { source: "misfits" });
      await all.has(5);
      const positions = all.inputs.map((input) => input.position);
      assert.deepEqual(
        positions,
        [...new Set(positions)].toSorted((a, b) => a - b),
      );
      const after = positions[1] ?? 0;
      const limited = collect(harness, log, { source: "misfits", after, credit: 2 });
      await limited.has(2);
      await harness.publishMisfit();
      await all.has(6);
      await log.flush();
      assert.equal(limited.inputs.length, 2);
      limited.reader.grant(1, 0);
      await limited.has(3);
      await limited.reader.stop();
      limited.reader.grant(10, 0);
      const seen = limited.inputs.map((input) => input.position);
      assert.deepEqual(seen, positions.slice(2));
      await harness.publishMisfit();
      await all.has(7);
      await log.flush();
      assert.equal(limited.inputs.length, 3);
    },
  },
  {
    name: "misfits are shown to who follows everything, not to who filters",
    async run(harness) {
      const log = await harness.connect();
      await harness.publishMisfit();
      await log.accept(toInquiries("alice", "good"));
      const kinds = (await everything(log)).map(({ kind }) => kind);
      assert.deepEqual(kinds, ["input", "input"]);
      const filtered = await everything(log, { topics: ["inquiries"], types: ["account"] });
      assert.equal(filtered.length, 1);
    },
  },
  {
    name: "a reader of misfits continues over a restart without loss or duplicates",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const misfits = collect(harness, log, { source: "misfits" });
      await harness.publishMisfit();
      await misfits.has(1);
      await harness.restart?.();
      await harness.publishMisfit();
      await harness.publishMisfit();
      await misfits.has(3);
      const again = collect(harness, await harness.connect(), { source: "misfits" });
      await again.has(3);
      const positions = again.inputs.map((input) => input.position);
      assert.deepEqual(
        misfits.inputs.map((input) => input.position),
        positions,
      );
    },
  },
];
