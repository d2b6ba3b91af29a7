/** Removing dead letters: exactly the one at a position, and never anything else. */
import assert from "node:assert/strict";

import type { Log } from "@troupe/core/log";
import { deadLetterAt } from "./dead-letter-checks.ts";
import { account, toAccount, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { everything, wholeJournal } from "./observe.ts";

export const deadLetterRemovalChecks: readonly LogCheck[] = [
  {
    name: "a dead letter is removed once, and its neighbours stay",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      await log.commit([turn("alice", 0, { deadLetter: deadLetterAt(1) })]);
      await log.bury(deadLetterAt(2));
      const { agent: _, ...unroutable } = deadLetterAt(3);
      await log.bury(unroutable);
      await log.commit([
        turn("bob", 0, { deadLetter: deadLetterAt(4, { agent: account("bob") }) }),
      ]);
      const positions = await deadPositions(log);
      assert.equal(positions.length, 4);
      for (const position of positions.slice(0, 3)) {
        assert.equal(await other.removeDeadLetter(position), true);
        assert.equal(await log.removeDeadLetter(position), false);
      }
      assert.deepEqual(await deadPositions(log), positions.slice(3));
      assert.equal((await wholeJournal(log, account("alice"))).length, 1);
    },
  },
  {
    name: "nothing but a dead letter is removed",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const { position } = await log.accept(toAccount("alice", "stays"));
      const [revision = 0] = await log.commit([
        turn("alice", 0, { outgoing: [toAccount("bob", "stays too")] }),
      ]);
      await harness.publishUnroutable();
      const before = await everything(log);
      assert.equal(before.length, 4);
      const last = Math.max(position, revision) + 100;
      for (let at = -1; at <= last; at++) assert.equal(await log.removeDeadLetter(at), false);
      assert.deepEqual(
        (await everything(log)).map(({ kind }) => kind),
        before.map(({ kind }) => kind),
      );
      assert.ok((await log.input(position)) !== undefined);
    },
  },
  {
    name: "an agent goes on after its dead letter was removed",
    async run(harness) {
      const log = await harness.connect();
      const [first = 0] = await log.commit([turn("alice", 0, { deadLetter: deadLetterAt(1) })]);
      const [position = 0] = await deadPositions(log);
      assert.equal(await log.removeDeadLetter(position), true);
      const [second = 0] = await log.commit([turn("alice", first)]);
      assert.ok(second > position);
      const { position: third } = await log.accept(toAccount("alice", "next"));
      assert.ok(third > second);
      assert.deepEqual(await deadPositions(log), []);
    },
  },
];

async function deadPositions(log: Log): Promise<number[]> {
  const entries = await everything(log);
  return entries.flatMap((entry) => (entry.kind === "dead-letter" ? [entry.position] : []));
}
