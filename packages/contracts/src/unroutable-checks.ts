/**
 * Unroutable messages: messages of ours without a usable address, read like a partition of their
 * own.
 */
import assert from "node:assert/strict";

import { toInquiries, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect, collectAll, everything, haveTogether } from "./observe.ts";

export const unroutableChecks: readonly LogCheck[] = [
  {
    name: "unroutable messages come on their own source only, and nothing else does",
    async run(harness) {
      const log = await harness.connect();
      const collectors = collectAll(harness, log);
      const unroutable = collect(harness, log, { source: "unroutable" });
      await harness.publishUnroutable();
      await log.accept(toInquiries("alice", "good"));
      await log.commit([turn("alice", 0)]);
      await harness.publishUnroutable();
      await haveTogether(harness, collectors, 1);
      await unroutable.has(2);
      await log.flush();
      assert.equal(unroutable.inputs.length, 2);
      assert.ok(unroutable.inputs.every((input) => input.fault !== undefined));
      const [first] = unroutable.inputs;
      assert.deepEqual((await log.input(first?.position ?? 0))?.fault?.code, first?.fault?.code);
      const inputs = collectors.flatMap((collector) => collector.contents());
      assert.deepEqual(inputs, ["good"]);
    },
  },
  {
    name: "unroutable messages are read after a position, with credit, until stopped",
    async run(harness) {
      const log = await harness.connect();
      for (let i = 0; i < 5; i++) await harness.publishUnroutable();
      const all = collect(harness, log, { source: "unroutable" });
      await all.has(5);
      const positions = all.inputs.map((input) => input.position);
      assert.deepEqual(
        positions,
        [...new Set(positions)].toSorted((a, b) => a - b),
      );
      const after = positions[1] ?? 0;
      const limited = collect(harness, log, { source: "unroutable", after, credit: 2 });
      await limited.has(2);
      await harness.publishUnroutable();
      await all.has(6);
      await log.flush();
      assert.equal(limited.inputs.length, 2);
      limited.reader.grant(1, 0);
      await limited.has(3);
      await limited.reader.stop();
      limited.reader.grant(10, 0);
      const seen = limited.inputs.map((input) => input.position);
      assert.deepEqual(seen, positions.slice(2));
      await harness.publishUnroutable();
      await all.has(7);
      await log.flush();
      assert.equal(limited.inputs.length, 3);
    },
  },
  {
    name: "unroutable messages are shown to who follows everything, not to who filters",
    async run(harness) {
      const log = await harness.connect();
      await harness.publishUnroutable();
      await log.accept(toInquiries("alice", "good"));
      const kinds = (await everything(log)).map(({ kind }) => kind);
      assert.deepEqual(kinds, ["input", "input"]);
      const filtered = await everything(log, { topics: ["inquiries"], types: ["account"] });
      assert.equal(filtered.length, 1);
    },
  },
  {
    name: "a reader of unroutable messages continues over a restart without loss or duplicates",
    needs: "restart",
    async run(harness) {
      const log = await harness.connect();
      const unroutable = collect(harness, log, { source: "unroutable" });
      await harness.publishUnroutable();
      await unroutable.has(1);
      await harness.restart?.();
      await harness.publishUnroutable();
      await harness.publishUnroutable();
      await unroutable.has(3);
      const again = collect(harness, await harness.connect(), { source: "unroutable" });
      await again.has(3);
      const positions = again.inputs.map((input) => input.position);
      assert.deepEqual(
        unroutable.inputs.map((input) => input.position),
        positions,
      );
    },
  },
];
