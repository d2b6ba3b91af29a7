/** Bad input costs one dead letter with the reason; its neighbours are handled (I10). */
import assert from "node:assert/strict";

import { agent, topic } from "@troupe/core";
import type { DeadLetter, Log } from "@troupe/core/log";
import { encodePayload } from "@troupe/core/log";
import { bytes, keysOfPartition, partitionOf } from "../drafts.ts";
import type { LogCheck, LogHarness } from "../log-harness.ts";
import { everything } from "../observe.ts";
import { ledger, noteSchema, notesOf, schemaOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

const inquiries = topic("inquiries", noteSchema);
const listener = ledger().subscribe(inquiries, (context, note) => context.emit.noted(note));

interface BadInput {
  readonly what: string;
  readonly code: string;
  readonly publish: (harness: LogHarness, key: string) => Promise<void>;
}

const good = bytes('{"text":"good"}');
const agentMessage = (content: string): BadInput["publish"] => {
  return (harness, key) => harness.publishForeign("agent", "ledger", key, bytes(content));
};
const publication = (payload: Uint8Array): BadInput["publish"] => {
  return (harness, key) => harness.publishForeign("topic", "inquiries", key, payload);
};

const badInputs: readonly BadInput[] = [
  { what: "broken JSON", code: "undecodable-payload", publish: publication(bytes('{"text":')) },
  { what: "an empty payload", code: "schema", publish: publication(bytes("")) },
  {
    what: "bytes that are no UTF-8",
    code: "undecodable-payload",
    publish: publication(Uint8Array.of(0x22, 0xff, 0xfe, 0x22)),
  },
  { what: "a wrong schema", code: "schema", publish: publication(bytes('{"text":7}')) },
  { what: "JSON null", code: "schema", publish: publication(bytes("null")) },
  {
    what: "an oversized payload",
    code: "payload-too-large",
    publish: publication(bytes(JSON.stringify({ text: "x".repeat(300_000) }))),
  },
  {
    what: "an unknown message name",
    code: "unknown-message",
    publish: agentMessage('{"shred":{"text":"x"}}'),
  },
  {
    what: "a message name of Object's own",
    code: "unknown-message",
    publish: agentMessage('{"constructor":{}}'),
  },
  {
    what: "a message that names itself twice",
    code: "undecodable-payload",
    publish: agentMessage('{"note":{"text":"x"},"shred":{}}'),
  },
  { what: "a bare array", code: "undecodable-payload", publish: agentMessage('[{"text":"x"}]') },
];

export const badInputChecks: readonly LogCheck[] = [
  ...badInputs.map(({ what, code, publish }): LogCheck => ({
    name: `I10: ${what} is one dead letter, and its neighbours are handled`,
    async run(harness) {
      await using stage = new Stage(harness);
      const host = await stage.host(listener);
      await harness.publishForeign("topic", "inquiries", "alice", good);
      await publish(harness, "alice");
      await harness.publishForeign("topic", "inquiries", "alice", good);
      await host.heard.has("turn.committed", 3);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["good", "good"]);
      const [letter] = await oneLetter(log);
      assert.equal(letter?.failure.code, code);
      assert.deepEqual(letter?.agent, { type: "ledger", key: "alice" });
      assert.equal(letter?.attempts, 0);
    },
  })),
  {
    name: "I10: a key that is not one is one dead letter, though two agent types subscribe",
    async run(harness) {
      await using stage = new Stage(harness);
      const second = ledger(undefined, "second").subscribe(inquiries, () => undefined);
      const host = await stage.host([listener, second]);
      const log = await stage.log();
      const bad = "a%2e";
      await harness.publishForeign("topic", "inquiries", bad, good);
      const [neighbour = ""] = keysOfPartition(log, partitionOf(log, "%61"), 1);
      await harness.publishForeign("topic", "inquiries", neighbour, good);
      await host.heard.has("dead-letter");
      await host.heard.has("turn.committed", 2);
      const [letter] = await oneLetter(log);
      assert.equal(letter?.failure.code, "invalid-key");
      assert.match(letter?.origin ?? "", /inquiries/);
    },
  },
  {
    name: "I10: a poison message in the first position of a partition is one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const keysOf = poisons.map((_, partition) => keysOfPartition(log, partition, 2));
      // Stored before any worker is there, so that the reader begins with it.
      for (const [index, [content]] of poisons.entries()) {
        const [poisoned = "", neighbour = ""] = keysOf[index] ?? [];
        await agentMessage(content)(harness, poisoned);
        for (const key of [poisoned, neighbour]) {
          await agentMessage('{"note":{"text":"good"}}')(harness, key);
        }
      }
      const book = ledger((_, { text }) => {
        if (text === "throws") throw new Error("never");
        return text === "hangs" ? Promise.withResolvers<never>().promise : undefined;
      });
      const host = await stage.host(book, { retry: { attemptsMax: 2, timeoutMs: 50 } });
      await host.heard.has("turn.committed", 3 * poisons.length);
      for (const [poisoned = "", neighbour = ""] of keysOf) {
        assert.deepEqual(await notesOf(log, poisoned), ["good"]);
        assert.deepEqual(await notesOf(log, neighbour), ["good"]);
      }
      const letters = await lettersOf(log);
      const codeOf = (key: string | undefined): string[] =>
        letters.filter((letter) => letter.agent?.key === key).map(({ failure }) => failure.code);
      for (const [index, [, code]] of poisons.entries()) {
        assert.deepEqual(codeOf(keysOf[index]?.[0]), [code]);
      }
      assert.equal(letters.length, poisons.length);
    },
  },
  {
    name: "I10: a subject that is no address is one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const host = await stage.host(listener);
      await harness.publishUnroutable();
      await host.heard.has("dead-letter");
      await harness.publishForeign("topic", "inquiries", "alice", good);
      await host.heard.has("turn.committed");
      const [letter] = await oneLetter(await stage.log());
      assert.equal(letter?.agent, undefined);
      assert.notEqual(letter?.failure.code, "");
      await host.troupe.close();
      const again = await stage.host(listener, { tamper: () => ({ floors: async () => [] }) });
      await again.heard.has("dead-letter");
      await oneLetter(await stage.log());
    },
  },
  {
    name: "I10: a schema that throws is one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const fragile = schemaOf<{ readonly text: string }>((value) => {
        return (value as { readonly text: string }).text.length > 0;
      });
      const throwing = agent("ledger").on("note", fragile, () => "done");
      const host = await stage.host(throwing);
      await agentMessage('{"note":{}}')(harness, "alice");
      await agentMessage('{"note":{"text":"good"}}')(harness, "alice");
      await host.heard.has("turn.committed", 2);
      const [letter] = await oneLetter(await stage.log());
      assert.equal(letter?.failure.code, "schema");
    },
  },
  {
    name: "I10: a schema that answers later is awaited, in order, and may refuse",
    async run(harness) {
      await using stage = new Stage(harness);
      const slow = agent("ledger")
        .event("noted", noteSchema, (state) => state)
        .on("note", asynchronous, (ctx, note) => ctx.emit.noted(note));
      const host = await stage.host(slow);
      await agentMessage('{"note":{"text":"1"}}')(harness, "alice");
      await agentMessage('{"note":{"text":2}}')(harness, "alice");
      await agentMessage('{"note":{"text":"3"}}')(harness, "alice");
      await host.heard.has("turn.committed", 3);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["1", "3"]);
      const [letter] = await oneLetter(log);
      assert.equal(letter?.failure.code, "schema");
      assert.equal(letter?.attempts, 0);
    },
  },
  {
    name: "I10: MessagePack that lies about its size is one dead letter",
    async run(harness) {
      await using stage = new Stage(harness);
      const host = await stage.host(listener);
      const log = await stage.log();
      const lies = [
        Uint8Array.of(0xdd, 0x7f, 0xff, 0xff, 0xff),
        Uint8Array.of(0xdf, 0x7f, 0xff, 0xff, 0xff),
        Uint8Array.of(0xdb, 0x7f, 0xff, 0xff, 0xff),
        new Uint8Array(200_000).fill(0x91),
        // An extension of 200 kB that another library reads as one integer.
        Buffer.concat([Uint8Array.of(0xc9, 0, 3, 0, 0, 0x42), Buffer.alloc(196_608, 0xff)]),
        Uint8Array.of(0x81, 0xa9, ...new TextEncoder().encode("__proto__"), 0x80),
        Uint8Array.of(0xcf, ...new Uint8Array(8).fill(0xff)),
        Uint8Array.of(0xa1, 0xff),
        encodePayload({ text: "x" }).slice(0, 4),
      ];
      for (const payload of lies) await log.accept(packed("alice", payload));
      await log.accept(packed("alice", encodePayload({ text: "good" })));
      await host.heard.has("turn.committed", lies.length + 1);
      assert.deepEqual(await notesOf(log, "alice"), ["good"]);
      assert.equal((await lettersOf(log)).length, lies.length);
    },
  },
];

/** Bytes, a schema, and handlers that never succeed: each with the code of its dead letter. */
const poisons: readonly (readonly [content: string, code: string])[] = [
  ["{ no json", "undecodable-payload"],
  ['{"note":{"text":7}}', "schema"],
  ['{"note":{"text":"throws"}}', "handler-failed"],
  ['{"note":{"text":"hangs"}}', "turn-timeout"],
];

const asynchronous: typeof noteSchema = {
  "~standard": {
    version: 1,
    vendor: "troupe-contract",
    validate: async (value) => noteSchema["~standard"].validate(value),
  },
};

function packed(key: string, payload: Uint8Array): Parameters<Log["accept"]>[0] {
  const address = { kind: "agent", name: "ledger", key } as const;
  return { address, metadata: { message: "note", contentType: "application/msgpack" }, payload };
}

async function lettersOf(log: Log): Promise<readonly DeadLetter[]> {
  return (await everything(log)).flatMap((entry) =>
    entry.kind === "dead-letter" ? [entry.deadLetter] : [],
  );
}

async function oneLetter(log: Log): Promise<readonly DeadLetter[]> {
  const letters = await lettersOf(log);
  assert.equal(letters.length, 1);
  return letters;
}
