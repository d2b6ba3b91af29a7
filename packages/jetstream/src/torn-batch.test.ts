/**
 * Removal of a torn batch from the end of a restored stream. The server itself is asked in
 * test/e2e/backup-restore.test.ts; it tears a batch only now and then.
 */
import type { StoredMsg, StreamInfo } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { expect, test } from "vitest";

import { removeTornBatch, type StoredMessages } from "./torn-batch.ts";

/** A stream's messages by sequence: places in one batch, `alone`, or `undefined` when removed. */
class TestStream implements StoredMessages {
  readonly removed: number[] = [];
  readonly #places: (number | "alone" | "end" | undefined)[];
  /** Removing fails from this one on. */
  refusedFrom = Infinity;

  constructor(...places: (number | "alone" | "end" | undefined)[]) {
    this.#places = places;
  }

  async getMessage(_: string, { seq }: { readonly seq: number }): Promise<StoredMsg | null> {
    const place = this.#places[seq - 1];
    if (place === undefined) return null;
    const header = headers();
    if (place !== "alone") {
      header.set("Nats-Batch-Id", "one");
      header.set("Nats-Batch-Sequence", `${place === "end" ? seq : place}`);
      if (place === "end") header.set("Nats-Batch-Commit", "1");
    }
    return { header } as StoredMsg;
  }

  async deleteMessage(_: string, seq: number): Promise<boolean> {
    if (seq >= this.refusedFrom) throw new Error("not allowed, says the test");
    this.#places[seq - 1] = undefined;
    this.removed.push(seq);
    return true;
  }

  info(lastAt: string): StreamInfo {
    const state = { messages: 1, last_seq: this.#places.length, last_ts: lastAt };
    const made = "2026-01-02T00:00:00Z";
    return { config: { name: "t-0" }, created: made, state } as unknown as StreamInfo;
  }

  async restored(): Promise<readonly number[]> {
    await removeTornBatch(this, this.info("2026-01-01T00:00:00Z"));
    return this.removed;
  }
}

test("a batch without its last message is removed, its end last, and nothing before it (I3)", async () => {
  expect(await new TestStream("alone", "alone", 1, 2).restored()).toEqual([3, 4]);
});

test("a removal that was interrupted is finished", async () => {
  expect(await new TestStream("alone", undefined, 2).restored()).toEqual([3]);
});

test.each([
  ["whole", ["alone", 1, "end"]],
  ["followed by a message of its own", [1, "end", "alone"]],
  ["robbed of its last message later", [1, 2, undefined]],
] as const)("a batch that is %s stays", async (_, places) => {
  expect(await new TestStream(...places).restored()).toEqual([]);
});

test("a stream in which something was stored since it was made is left alone", async () => {
  const stored = new TestStream("alone", 1, 2);
  await removeTornBatch(stored, stored.info("2026-01-03T00:00:00Z"));
  expect(stored.removed).toEqual([]);
});

test("who may not remove it is told what to do", async () => {
  const stored = new TestStream("alone", 1, 2);
  stored.refusedFrom = 2;
  await expect(stored.restored()).rejects.toMatchObject({
    code: "stream-mismatch",
    message: expect.stringContaining("connect once with a user that may delete messages"),
  });
});
