/** Keys: any non-empty text comes back from the log as it went in. */
import assert from "node:assert/strict";

import fc from "fast-check";

import { keyToToken } from "@troupe/core/log";
import type { Log } from "@troupe/core/log";
import { account, bytes, range, text, toAccount, toInquiries, turn } from "./drafts.ts";
import type { LogCheck, LogHarness } from "./log-harness.ts";
import { collectAll, everything, haveTogether, wholeJournal, type Collector } from "./observe.ts";

export const oddKeys: readonly string[] = [
  "alice@example.com",
  "a.b..c.",
  ".",
  " ",
  "a b\tc\nd\r\ne",
  "*",
  ">",
  "a.*.>",
  "$SYS.>",
  "%",
  "%2E",
  "100%",
  "a/b/c",
  "\\\"'`{}[]()<>|^~;:,?!#&=+",
  "客户/订单:七",
  "🌵👩‍👩‍👧‍👦",
  "e\u0301 is not \u00e9",
  "\u0000\u0001\u007f\u0085\u00a0\u2028\u3000\ufeff",
  "__proto__",
  "x".repeat(200),
  "客".repeat(66),
  ".".repeat(66),
];

/** Characters to which subjects, headers, escapes or encodings give a meaning. */
const significant: readonly string[] = [
  ".",
  " ",
  "*",
  ">",
  "%",
  "/",
  "\\",
  "\r",
  "\n",
  "\t",
  "$",
  "_",
  "-",
  "a",
  "é",
  "客",
  "🌵",
];

/**
 * Text that can be a key; most of it full of characters that subjects and headers give a meaning
 * to.
 */
const anyKey: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...significant), minLength: 1, maxLength: 30 }),
  )
  .filter(isKey);

const severalKeys = fc.uniqueArray(anyKey, { minLength: 1, maxLength: 10 });

export const keyChecks: readonly LogCheck[] = [
  {
    name: "odd keys come back from an input, a reader, a follower and a journal",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const collectors = collectAll(harness, log);
      await inputsKeepTheirKeys(harness, log, collectors, oddKeys);
      await journalsKeepTheirKeys(log, oddKeys);
      const turns = (await everything(log)).filter((entry) => entry.kind === "turn");
      const agents = turns.map((entry) => ({ ...entry.agent }));
      assert.deepEqual(
        agents,
        oddKeys.map((key) => account(key)),
      );
    },
  },
  {
    name: "any key comes back from an input and a reader",
    async run(harness) {
      const log = await harness.connect();
      const collectors = collectAll(harness, log);
      const law = fc.asyncProperty(severalKeys, (keys) =>
        inputsKeepTheirKeys(harness, log, collectors, keys),
      );
      await fc.assert(law, { numRuns: 25 });
    },
  },
  {
    name: "any key has a journal of its own",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const law = fc.asyncProperty(severalKeys, (keys) => journalsKeepTheirKeys(log, keys));
      await fc.assert(law, { numRuns: 25 });
    },
  },
];

/** Accepts one message per key, and compares where and how it arrives. */
async function inputsKeepTheirKeys(
  harness: LogHarness,
  log: Log,
  collectors: readonly Collector[],
  keys: readonly string[],
): Promise<void> {
  const before = collectors.reduce((sum, { inputs }) => sum + inputs.length, 0);
  const drafts = keys.map((key, i) => (i % 2 ? toAccount(key, key) : toInquiries(key, key)));
  const accepted = await Promise.all(drafts.map((draft) => log.accept(draft)));
  await haveTogether(harness, collectors, before + keys.length);
  const inputs = new Map(
    collectors.flatMap((collector) => collector.inputs).map((input) => [input.position, input]),
  );
  for (const [i, { position }] of accepted.entries()) {
    for (const input of [inputs.get(position), await log.input(position)]) {
      assert.deepEqual({ ...input?.address }, drafts[i]?.address);
      assert.equal(input?.fault, undefined);
      assert.equal(text(input?.payload ?? bytes("nothing")), keys[i]);
    }
  }
}

/** Stores another turn per key, on whatever is in its journal already. */
async function journalsKeepTheirKeys(log: Log, keys: readonly string[]): Promise<void> {
  const journals = await Promise.all(keys.map((key) => wholeJournal(log, account(key))));
  const turns = keys.map((key, i) =>
    turn(key, journals[i]?.at(-1)?.revision ?? 0, { record: bytes(key) }),
  );
  await log.commit(turns);
  for (const [i, key] of keys.entries()) {
    const records = (await wholeJournal(log, account(key))).map((entry) => text(entry.record));
    assert.deepEqual(
      records,
      range((journals[i]?.length ?? 0) + 1).map(() => key),
    );
  }
}

function isKey(key: string): boolean {
  try {
    return keyToToken(key) !== "";
  } catch {
    return false;
  }
}
