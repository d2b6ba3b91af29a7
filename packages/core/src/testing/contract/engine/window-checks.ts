/**
 * What a worker reads ahead is bounded, in inputs and in bytes, and what waits starves nobody (I7).
 */
import assert from "node:assert/strict";

import { agent } from "../../../agent/agent.ts";
import { keysOfPartition } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { collect } from "../observe.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";

export const windowChecks: readonly LogCheck[] = [
  {
    name: "I7: payloads in memory are bounded in bytes; the others wait on the log and are handled",
    async run(harness) {
      await using stage = new Stage(harness);
      const open = Promise.withResolvers<void>();
      let begun = 0;
      let handled = 0;
      const reader = agent("reader").on("look", anything<string>(), async () => {
        begun += 1;
        await open.promise;
        handled += 1;
      });
      const log = await stage.log();
      const bytes = 50_000;
      const keys = keysOfPartition(log, 0, 40);
      const { troupe } = await stage.host(reader, {
        windowBytesMax: log.partitions * bytes * 4,
      });
      for (const key of keys) await troupe.send(reader, key).look("x".repeat(bytes));
      await stage.until("some are under way", () => begun >= 3);
      await collect(harness, log, { source: 0 }).has(keys.length);
      await log.flush();
      assert.ok(begun <= 4, `${begun} payloads are in memory, 4 fit`);
      open.resolve();
      await stage.until("all are handled", () => handled === keys.length);
    },
  },
  {
    name: "I7: a payload that is larger than its partition's part of the bytes is handled all the same",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes = [10, 90_000, 10, 90_000, 90_000, 10];
      const seen: number[] = [];
      const reader = agent("reader").on("look", anything<string>(), (_, content) => {
        seen.push(content.length);
      });
      const { troupe } = await stage.host(reader, { windowBytesMax: 1000 });
      for (const size of sizes) await troupe.send(reader, "alice").look("x".repeat(size));
      await stage.until("all are handled", () => seen.length === sizes.length);
      assert.deepEqual(seen, sizes);
    },
  },
];
