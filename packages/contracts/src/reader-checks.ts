/**
 * Readers: log order, nothing missing, nothing twice, never beyond the credit (LOG-3), independent
 * (LOG-4).
 */
import assert from "node:assert/strict";

import type { Input, Reader } from "@troupe/core/log";
import { inputBytes } from "@troupe/core/log";
import {
  bytes,
  keysOfPartition,
  partitionOf,
  range,
  text,
  toAccount,
  toInquiries,
  turn,
} from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect, collectAll, haveTogether } from "./observe.ts";
import { until } from "./until.ts";

export const readerChecks: readonly LogCheck[] = [
  {
    name: "a reader hands over its partition in log order, each input once",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const collectors = collectAll(harness, log);
      const accepted = await Promise.all(
        range(300).map((i) => (i % 2 ? log : other).accept(toAccount(`key-${i % 40}`, `${i}`))),
      );
      await haveTogether(harness, collectors, accepted.length);
      for (const { inputs } of collectors) {
        const positions = inputs.map((input) => input.position);
        assert.deepEqual(
          positions,
          [...new Set(positions)].toSorted((a, b) => a - b),
        );
      }
      const seen = collectors.flatMap(({ inputs }) => inputs.map((input) => input.position));
      const stored = accepted.map(({ position }) => position);
      assert.deepEqual(
        seen.toSorted((a, b) => a - b),
        stored.toSorted((a, b) => a - b),
      );
    },
  },
  {
    name: "a key's inputs are in the partition of its token, whoever publishes them",
    async run(harness) {
      const log = await harness.connect();
      const keys = [...range(20).map((i) => `key-${i}`), "客户", "🌵", "a/b"];
      const collectors = collectAll(harness, log);
      for (const key of keys) {
        await log.accept(toInquiries(key, "ours"));
        await harness.publishForeign("topic", "inquiries", key, bytes("foreign"));
        await harness.publishForeign("agent", "account", key, bytes("foreign"));
      }
      await haveTogether(harness, collectors, keys.length * 3);
      for (const [partition, { inputs }] of collectors.entries()) {
        for (const input of inputs) {
          assert.equal(partitionOf(log, input.address.key), partition, input.address.key);
        }
      }
    },
  },
  {
    name: "two readers of one partition each see every input",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const source = partitionOf(log, "alice");
      const readers = [
        collect(harness, log, { source }),
        collect(harness, log, { source }),
        collect(harness, other, { source, credit: 20 }),
      ];
      for (const i of range(20)) await log.accept(toAccount("alice", `${i}`));
      const expected = range(20).map((i) => `${i}`);
      for (const collector of readers) {
        await collector.has(20);
        assert.deepEqual(collector.contents(), expected);
      }
    },
  },
  {
    name: "a reader starts after its position",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      const positions: number[] = [];
      for (const i of range(6)) {
        positions.push((await log.accept(toAccount("alice", `${i}`))).position);
        await log.accept(toAccount(`key-${i}`, "something else between them"));
      }
      const source = partitionOf(log, "alice");
      const later = collect(harness, log, { source, after: positions[2] ?? 0 });
      const newOnes = collect(harness, log, { source, after: (positions[5] ?? 0) + 1 });
      await log.accept(toAccount("alice", "new"));
      const ofAlice = (inputs: readonly Input[]): string[] =>
        inputs.filter(({ address }) => address.key === "alice").map((input) => text(input.payload));
      await newOnes.has(1);
      await later.has(4);
      assert.deepEqual(ofAlice(later.inputs), ["3", "4", "5", "new"]);
      assert.deepEqual(ofAlice(newOnes.inputs), ["new"]);
    },
  },
  {
    name: "a reader never goes beyond its credit and goes on when more is granted",
    async run(harness) {
      const log = await harness.connect();
      const source = partitionOf(log, "alice");
      const first = range(5);
      for (const i of first) await log.accept(toAccount("alice", `${i}`));
      const limited = collect(harness, log, { source, credit: 3 });
      await limited.has(3);
      const free = collect(harness, await harness.connect(), { source });
      for (const i of range(5)) await log.accept(toAccount("alice", `${i + 5}`));
      await free.has(10);
      await log.flush();
      assert.equal(limited.inputs.length, 3);
      limited.reader.grant(2, 0);
      await limited.has(5);
      await log.flush();
      assert.equal(limited.inputs.length, 5);
      limited.reader.grant(1, 0);
      limited.reader.grant(100, 0);
      await limited.has(10);
      assert.deepEqual(
        limited.contents(),
        range(10).map((i) => `${i}`),
      );
    },
  },
  {
    name: "I7: a reader never goes beyond its credit in bytes, and a larger input comes alone",
    async run(harness) {
      const log = await harness.connect();
      const source = partitionOf(log, "alice");
      const sizes = [1000, 1000, 1000, 9000, 1000];
      for (const size of sizes) await log.accept(toAccount("alice", "x".repeat(size)));
      const creditBytes = 2 * inputBytes(1000);
      const limited = collect(harness, log, { source, credit: 100, creditBytes });
      const stays = async (count: number): Promise<void> => {
        await limited.has(count);
        await collect(harness, await harness.connect(), { source }).has(sizes.length);
        await log.flush();
        assert.equal(limited.inputs.length, count);
      };
      await stays(2);
      limited.reader.grant(1, inputBytes(1000));
      await stays(3);
      limited.reader.grant(1, inputBytes(1000));
      // The large one waits until nothing else is held.
      await stays(3);
      limited.reader.grant(1, inputBytes(1000));
      await stays(4);
      limited.reader.grant(1, inputBytes(9000));
      await limited.has(5);
      const read = limited.inputs.map(({ payload }) => payload.byteLength);
      assert.deepEqual(read, sizes);
    },
  },
  {
    name: "credit granted one by one while inputs are handed over loses nothing",
    async run(harness) {
      const log = await harness.connect();
      const seen: string[] = [];
      let reader: Reader | undefined = undefined;
      const onInput = (input: Input): void => {
        seen.push(text(input.payload));
        reader?.grant(1, 0);
      };
      for (const i of range(50)) await log.accept(toAccount("alice", `${i}`));
      const all = collect(harness, log, { source: partitionOf(log, "alice") });
      reader = log.read({ source: partitionOf(log, "alice"), after: 0, credit: 2, onInput });
      for (const i of range(50)) await log.accept(toAccount("alice", `${i + 50}`));
      await all.has(100);
      const last = collect(harness, log, { source: partitionOf(log, "alice"), credit: 100 });
      await last.has(100);
      await until(harness, "100 inputs are handed over", () => seen.length >= 100);
      assert.deepEqual(
        seen,
        range(100).map((i) => `${i}`),
      );
    },
  },
  {
    name: "a stopped reader hands over nothing more",
    async run(harness) {
      const log = await harness.connect();
      const source = partitionOf(log, "alice");
      for (const i of range(50)) await log.accept(toAccount("alice", `${i}`));
      const seen: Input[] = [];
      const stopping = Promise.withResolvers<void>();
      const reader = log.read({
        source,
        after: 0,
        credit: 1000,
        onInput: (input) => {
          seen.push(input);
          if (seen.length === 5) void reader.stop().then(stopping.resolve, stopping.reject);
        },
      });
      await stopping.promise;
      await log.accept(toAccount("alice", "after the stop"));
      reader.grant(10, 0);
      await collect(harness, log, { source }).has(51);
      await log.flush();
      assert.equal(seen.length, 5);
    },
  },
  {
    name: "a new reader goes on where a stopped one was",
    async run(harness) {
      const log = await harness.connect();
      const source = partitionOf(log, "alice");
      const contents: string[] = [];
      let after = 0;
      for (const round of range(5)) {
        const reader = collect(harness, log, { source, after, credit: 10 });
        for (const i of range(10)) await log.accept(toAccount("alice", `${round * 10 + i}`));
        await reader.has(10);
        await reader.reader.stop();
        contents.push(...reader.contents());
        after = reader.inputs.at(-1)?.position ?? 0;
      }
      assert.deepEqual(
        contents,
        range(50).map((i) => `${i}`),
      );
    },
  },
  {
    name: "LOG-9: a foreign payload arrives with its address, marked, and without other metadata",
    async run(harness) {
      const log = await harness.connect();
      const payload = bytes('{"text":"hello"}');
      await harness.publishForeign("topic", "inquiries", "conversation-42", payload);
      const source = partitionOf(log, "conversation-42");
      const collector = collect(harness, log, { source });
      await collector.has(1);
      const [input] = collector.inputs;
      const address = { kind: "topic", name: "inquiries", key: "conversation-42" };
      assert.deepEqual({ ...input?.address }, address);
      assert.deepEqual(collector.contents(), ['{"text":"hello"}']);
      assert.equal(input?.fault, undefined);
      const { metadata } = input ?? {};
      const fields = [metadata?.id, metadata?.message, metadata?.contentType, metadata?.sender];
      assert.deepEqual(fields, [undefined, undefined, undefined, undefined]);
      assert.equal(metadata?.foreign, true);
      const ours = await log.accept(toInquiries("conversation-42", "ours"));
      assert.equal((await log.input(ours.position))?.metadata.foreign, undefined);
    },
  },
  {
    name: "an escaped key of a foreign payload arrives as the key it stands for",
    async run(harness) {
      const log = await harness.connect();
      await harness.publishForeign("agent", "account", "alice@example%2Ecom", bytes("hello"));
      const source = partitionOf(log, "alice@example.com");
      const collector = collect(harness, log, { source });
      await collector.has(1);
      assert.equal(collector.inputs[0]?.address.key, "alice@example.com");
    },
  },
  {
    name: "a key that is not its own encoding is an unroutable message, in no partition, and harms nobody",
    async run(harness) {
      const log = await harness.connect();
      const collectors = collectAll(harness, log);
      const unroutable = collect(harness, log, { source: "unroutable" });
      const bad = ["a%zz", "%41lice", "a%2e", "%FF"];
      for (const token of bad) {
        await harness.publishForeign("topic", "inquiries", token, bytes(token));
      }
      await log.accept(toInquiries("alice", "good"));
      await haveTogether(harness, collectors, 1);
      await unroutable.has(bad.length);
      const codes = unroutable.inputs.map((input) => [text(input.payload), input.fault?.code]);
      assert.deepEqual(
        codes,
        bad.map((token) => [token, "invalid-key"]),
      );
      const contents = collectors.flatMap((collector) => collector.contents());
      assert.deepEqual(contents, ["good"]);
    },
  },
  {
    name: "what turns send and what clients send come in one order",
    async run(harness) {
      const log = await harness.connect();
      const [sender = "", receiver = ""] = keysOfPartition(log, 0, 2);
      let revision = 0;
      for (const i of range(10)) {
        await log.accept(toAccount(receiver, `client ${i}`));
        const outgoing = [toAccount(receiver, `turn ${i}`)];
        [revision = 0] = await log.commit([turn(sender, revision, { outgoing })]);
      }
      const collector = collect(harness, log, { source: 0 });
      await collector.has(20);
      const expected = range(10).flatMap((i) => [`client ${i}`, `turn ${i}`]);
      assert.deepEqual(collector.contents(), expected);
    },
  },
];
