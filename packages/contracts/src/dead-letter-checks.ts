/** Dead letters: kept with the reason and the untouched payload (I10). */
import assert from "node:assert/strict";

import type { DeadLetter, Log } from "@troupe/core/log";
import { account, bytes, range, turn } from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { everything } from "./observe.ts";

/** A dead letter of `account/alice`. */
export function deadLetterAt(inputPosition: number, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    agent: account("alice"),
    inputPosition,
    origin: "topic/inquiries/客户 42",
    failure: {
      code: "schema",
      message: 'The "text" is missing — 缺少文本\nsecond line',
      retryable: false,
      details: { issues: [{ path: ["text"], message: "required" }] },
    },
    attempts: 3,
    payload: bytes('{"txt":"hello"}'),
    ...more,
  };
}

export const deadLetterChecks: readonly LogCheck[] = [
  {
    name: "a turn's dead letter is stored with the turn",
    async run(harness) {
      const log = await harness.connect();
      const letter = deadLetterAt(7);
      const [revision = 0] = await log.commit([turn("alice", 0, { deadLetter: letter })]);
      const entries = await everything(log);
      assert.deepEqual(
        entries.map((entry) => entry.kind),
        ["turn", "dead-letter"],
      );
      const [, stored] = entries;
      assert.ok(stored?.kind === "dead-letter" && stored.position > revision);
      assertSameLetter(stored.deadLetter, letter);
      assert.equal(await log.input(stored.position), undefined);
      assert.ok(stored.storedAtMs > 0);
      assert.equal((await log.journal(account("alice"), 0)).length, 1);
    },
  },
  {
    name: "any payload of a dead letter is untouched, in a commit and buried",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const payloads = [new Uint8Array(), bytes("-"), bytes("{"), Uint8Array.from(range(256))];
      const letters = payloads.map((payload, i) => deadLetterAt(i + 1, { payload }));
      for (const [i, deadLetter] of letters.entries()) {
        await log.commit([turn(`key-${i}`, 0, { deadLetter })]);
        await log.bury(deadLetter);
      }
      const stored = await deadLettersOf(log);
      const expected = letters.flatMap((letter) => [letter, letter]);
      assert.equal(stored.length, expected.length);
      for (const [i, letter] of stored.entries()) assertSameLetter(letter, expected[i]);
    },
  },
  {
    name: "a dead letter says how its payload is encoded, when the original did",
    async run(harness) {
      const log = await harness.connect();
      const contentTypes = [undefined, "application/json", "application/msgpack"] as const;
      for (const [i, contentType] of contentTypes.entries()) {
        await log.bury(deadLetterAt(i + 1, { contentType }));
      }
      const stored = await deadLettersOf(log);
      assert.deepEqual(
        stored.map(({ contentType }) => contentType),
        contentTypes,
      );
    },
  },
  {
    name: "burying the same position again changes nothing",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const letter = deadLetterAt(7);
      await Promise.all([log.bury(letter), log.bury(letter)]);
      await other.bury({ ...letter, attempts: 9 });
      await log.bury(deadLetterAt(8));
      const positions = (await deadLettersOf(log)).map(({ inputPosition }) => inputPosition);
      assert.deepEqual(positions, [7, 8]);
    },
  },
  {
    name: "a dead letter without an agent is kept too, once per position",
    async run(harness) {
      const log = await harness.connect();
      const { agent: _, ...letter } = deadLetterAt(7, { origin: "topic/a/b.c.d", attempts: 0 });
      await log.bury(letter);
      await log.bury(letter);
      const stored = await deadLettersOf(log);
      assert.equal(stored.length, 1);
      assertSameLetter(stored[0], letter);
    },
  },
];

async function deadLettersOf(log: Log): Promise<DeadLetter[]> {
  const entries = await everything(log);
  return entries.flatMap((entry) => (entry.kind === "dead-letter" ? [entry.deadLetter] : []));
}

/** Compares what is there, not which fields are spelled out as undefined. */
function assertSameLetter(actual: DeadLetter | undefined, expected: DeadLetter | undefined): void {
  assert.deepEqual(comparable(actual), comparable(expected));
}

function comparable(letter: DeadLetter | undefined): unknown {
  if (letter === undefined) return undefined;
  const { agent, payload, ...rest } = letter;
  return {
    ...rest,
    failure: { ...rest.failure },
    agent: agent && { ...agent },
    payload: [...payload],
  };
}
