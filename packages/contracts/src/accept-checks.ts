/** Accepting messages: I1, and one id is stored once. */
import assert from "node:assert/strict";

import type { Accepted, Metadata } from "@troupe/core/log";
import {
  account,
  bytes,
  partitionOf,
  range,
  text,
  toAccount,
  toInquiries,
  turn,
} from "./drafts.ts";
import type { LogCheck } from "./log-harness.ts";
import { collect, inputsBesides, rejectsWith } from "./observe.ts";

const fullMetadata: Metadata = {
  id: "order-7/2 (é)",
  message: "deposit",
  contentType: "application/msgpack",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "vendor=value,other=1",
  sender: "account/客户 no. 7 🌵",
  causationId: "cause-1",
  correlationId: "conversation-1",
  replyTo: "somewhere.over-there.1",
  deadlineMs: 1_900_000_000_123,
  callers: ["account/a, b", "teller/c%d", "客户/é"],
};

export const acceptChecks: readonly LogCheck[] = [
  {
    name: "an accepted message is readable at its position",
    async run(harness) {
      const log = await harness.connect();
      const { position, duplicate } = await log.accept(toAccount("alice", "hello", fullMetadata));
      assert.equal(duplicate, false);
      for (const reading of [log, await harness.connect()]) {
        const input = await reading.input(position);
        assert.ok(input, "there is an input at the position");
        assert.equal(input.position, position);
        assert.deepEqual({ ...input.address }, { kind: "agent", name: "account", key: "alice" });
        assert.deepEqual(presentFields(input.metadata), fullMetadata);
        assert.equal(text(input.payload), "hello");
        assert.equal(input.fault, undefined);
        assert.ok(Number.isFinite(input.acceptedAtMs));
      }
    },
  },
  {
    name: "an accepted message stays as it was when the caller reuses its buffer",
    async run(harness) {
      const log = await harness.connect();
      const draft = toInquiries("alice", "original");
      const { position } = await log.accept(draft);
      draft.payload.fill(0);
      const input = await log.input(position);
      assert.equal(input && text(input.payload), "original");
    },
  },
  {
    name: "positions are positive and grow",
    oneShard: true,
    async run(harness) {
      const log = await harness.connect();
      let last = 0;
      for (const i of range(5)) {
        const { position } = await log.accept(toAccount(`key-${i}`, "hello"));
        assert.ok(Number.isSafeInteger(position) && position > last, `${position} after ${last}`);
        last = position;
      }
    },
  },
  {
    name: "there is no input at a position of something else, or of nothing",
    async run(harness) {
      const log = await harness.connect();
      const [revision = 0] = await log.commit([turn("alice", 0)]);
      assert.equal(await log.input(revision), undefined);
      assert.equal(await log.input(revision + 1000), undefined);
    },
  },
  {
    name: "the same id for another address is another message",
    async run(harness) {
      const log = await harness.connect();
      const drafts = [toAccount("a", "1", { id: "x" }), toAccount("b", "1", { id: "x" })];
      drafts.push({ ...toInquiries("a", "1", { id: "x" }) });
      for (const draft of drafts) {
        const { duplicate, position } = await log.accept(draft);
        assert.equal(duplicate, false);
        assert.equal((await log.input(position))?.metadata.id, "x");
        assert.deepEqual(await log.accept(draft), { duplicate: true, position });
      }
    },
  },
  {
    name: "a fenced message is stored only while its journal ends where it says (I13)",
    async run(harness) {
      const log = await harness.connect();
      const agent = account("alice");
      const fenced = (id: string, revision: number): Promise<Accepted> =>
        log.accept(toAccount("bob", "1", { id }), { fence: { agent, revision } });
      const none = await fenced("none", 0);
      assert.equal(none.duplicate, false);
      const [first = 0] = await log.commit([turn("alice", 0)]);
      await rejectsWith(fenced("late", 0), "revision-conflict");
      assert.equal((await fenced("now", first)).duplicate, false);
      const [second = 0] = await log.commit([turn("alice", first)]);
      await rejectsWith(fenced("later", first), "revision-conflict");
      // One that is repeated is known, and is fenced as well.
      await rejectsWith(fenced("now", first), "revision-conflict");
      assert.equal((await fenced("now", second)).duplicate, true);
      assert.equal((await fenced("late", second)).duplicate, false);
    },
  },
  {
    name: "the same id twice stores once and gives the first position",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const first = await log.accept(toAccount("alice", "first", { id: "same" }));
      const again = await log.accept(toAccount("alice", "again", { id: "same" }));
      const elsewhere = await other.accept(toAccount("alice", "elsewhere", { id: "same" }));
      const duplicate = { position: first.position, duplicate: true };
      assert.deepEqual({ ...again }, duplicate);
      assert.deepEqual({ ...elsewhere }, duplicate);
      const source = { partition: partitionOf(log, "alice"), key: "alice" };
      assert.deepEqual(await inputsBesides(harness, log, source), ["first"]);
    },
  },
  {
    name: "the same id accepted twice at once stores once",
    async run(harness) {
      const [log, other] = [await harness.connect(), await harness.connect()];
      const draft = toAccount("alice", "hello", { id: "same" });
      const accepted = await Promise.all(range(10).map((i) => (i % 2 ? log : other).accept(draft)));
      assert.equal(new Set(accepted.map(({ position }) => position)).size, 1);
      assert.equal(accepted.filter(({ duplicate }) => !duplicate).length, 1);
    },
  },
  {
    name: "equal messages without an id are all stored",
    async run(harness) {
      const log = await harness.connect();
      await Promise.all(range(3).map(() => log.accept(toAccount("alice", "same"))));
      const source = { partition: partitionOf(log, "alice"), key: "alice" };
      assert.deepEqual(await inputsBesides(harness, log, source), ["same", "same", "same"]);
    },
  },
  {
    name: "an empty payload and one with every byte arrive as they are",
    async run(harness) {
      const log = await harness.connect();
      const payloads = [new Uint8Array(), Uint8Array.from(range(256)), bytes("\r\n\r\n")];
      const collector = collect(harness, log, { source: partitionOf(log, "alice") });
      for (const payload of payloads) {
        const { position } = await log.accept({ ...toAccount("alice", ""), payload });
        assert.deepEqual(contentOf(await log.input(position)), [...payload]);
      }
      await collector.has(payloads.length);
      const handedOver = collector.inputs.map((input) => contentOf(input));
      assert.deepEqual(
        handedOver,
        payloads.map((payload) => [...payload]),
      );
    },
  },
  {
    name: "a key that cannot name an agent is refused",
    async run(harness) {
      const log = await harness.connect();
      for (const key of ["", "\ud800", "x".repeat(513)]) {
        await rejectsWith(log.accept(toAccount(key, "hello")), "invalid-key");
      }
    },
  },
  {
    name: "an aborted accept is refused at once and stores nothing",
    async run(harness) {
      const log = await harness.connect();
      const signal = AbortSignal.abort();
      await rejectsWith(log.accept(toAccount("alice", "aborted"), { signal }), "log-unavailable");
      const source = { partition: partitionOf(log, "alice"), key: "alice" };
      assert.deepEqual(await inputsBesides(harness, log, source), []);
    },
  },
];

function presentFields(metadata: Metadata): Metadata {
  // Field by field: an implementation may decode them lazily, behind getters.
  const fields = Object.keys(fullMetadata) as (keyof Metadata)[];
  return Object.fromEntries(fields.map((field) => [field, metadata[field]]));
}

function contentOf(input: { readonly payload: Uint8Array } | undefined): number[] | undefined {
  return input && [...input.payload];
}
