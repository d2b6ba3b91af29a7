/** Firm reads: nothing that was acknowledged before is missing in them (LOG-8). */
import assert from "node:assert/strict";

import { account, range, toAccount, toInquiries, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";

const firm = { firm: true } as const;
const endless = Number.MAX_SAFE_INTEGER;
const topics = ["inquiries"];

export const firmChecks: readonly LogCheck[] = [
  {
    name: "a firm read of a journal has every record that was acknowledged, and ends",
    async run(harness) {
      const [log, reading] = [await harness.connect(), await harness.connect()];
      let last = 0;
      assert.deepEqual(await reading.journal(account("alice"), 0, firm), []);
      for (const _ of range(30)) {
        const [revision = 0] = await log.commit([turn("alice", last)]);
        const found = await reading.journal(account("alice"), last, firm);
        assert.deepEqual(
          found.map((entry) => entry.revision),
          [revision],
        );
        last = revision;
        assert.deepEqual(await reading.journal(account("alice"), last, firm), []);
      }
    },
  },
  {
    name: "a firm read of an agent's inputs has every one that was acknowledged, and ends",
    async run(harness) {
      const [log, reading] = [await harness.connect(), await harness.connect()];
      const positions: number[] = [];
      for (const i of range(30)) {
        const draft = (i % 3 === 0 ? toInquiries : toAccount)("alice", String(i));
        positions.push((await log.accept(draft)).position);
        const found = await reading.inputsOf(account("alice"), topics, 0, endless, firm);
        assert.deepEqual(
          found.map(({ position }) => position),
          positions,
        );
      }
      const last = positions.at(-1) ?? 0;
      const none = await reading.inputsOf(account("alice"), topics, last, endless, firm);
      assert.deepEqual(none, []);
    },
  },
  {
    name: "a firm read of all manifests has every type that was registered",
    async run(harness) {
      const [log, reading] = [await harness.connect(), await harness.connect()];
      const names = { messages: [], topics: [], events: [], version: "" };
      for (const i of range(10)) {
        await log.register({ ...names, type: `type-${i}` });
        const found = await reading.manifests(firm);
        assert.equal(found.length, i + 1);
      }
    },
  },
  {
    name: "a firm read of an input finds it as soon as it was acknowledged, and nothing elsewhere",
    async run(harness) {
      const [log, reading] = [await harness.connect(), await harness.connect()];
      for (const i of range(10)) {
        const { position } = await log.accept(toAccount("alice", String(i)));
        assert.equal((await reading.input(position, firm))?.position, position);
      }
      const [revision = 0] = await log.commit([turn("alice", 0)]);
      assert.equal(await reading.input(revision, firm), undefined);
      assert.equal(await reading.input(revision + 1000, firm), undefined);
    },
  },
];
