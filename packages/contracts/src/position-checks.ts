/** Positions that know their log (I16): the entry at one, and the end of the log. */
import assert from "node:assert/strict";

import { fitsLog } from "@troupe/core/log";
import { bytes, text, toAccount, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";

export const positionChecks: readonly LogCheck[] = [
  {
    name: "I16: what lies at a position is told with its time, whatever it is, and nothing else",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const { position } = await log.accept(toAccount("alice", "hello"));
      const record = bytes("the record");
      const [revision = 0] = await log.commit([turn("alice", 0, { record })]);
      const input = await other.at(position);
      assert.equal(input?.storedAtMs, (await log.input(position))?.acceptedAtMs);
      const [entry] = await log.journal({ type: "account", key: "alice" }, 0);
      const stored = await other.at(revision);
      assert.equal(stored?.storedAtMs, entry?.committedAtMs);
      assert.equal(text(stored?.payload ?? bytes("nothing")), "the record");
      assert.equal(await other.at(revision + 1), undefined);
    },
  },
  {
    name: "I16: a log ends where the last thing was stored, and is one log for everybody",
    oneShard: true,
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const empty = await log.end();
      assert.equal(empty.last, 0);
      const { position } = await log.accept(toAccount("alice", "hello"));
      assert.deepEqual(await other.end(), { ...empty, last: position });
    },
  },
  {
    name: "I16: a mark fits while what it names is there",
    async run(harness) {
      const log = await harness.connect();
      const { position } = await log.accept(toAccount("alice", "hello"));
      const storedAtMs = (await log.input(position))?.acceptedAtMs ?? 0;
      const mark = { log: (await log.end()).log, position, storedAtMs };
      assert.ok(await fitsLog(log, mark));
      assert.ok(!(await fitsLog(log, { ...mark, storedAtMs: storedAtMs - 1 })));
      assert.ok(!(await fitsLog(log, { ...mark, position: position + 1 })));
    },
  },
];
