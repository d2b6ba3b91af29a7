/** The inputs of one agent: its own and those of its topics, merged in log order. */
import assert from "node:assert/strict";

import type { Input, Position, Log } from "@troupe/core/log";
import { account, range, text, toAccount, toInquiries, turn } from "./drafts.ts";
import { oddKeys } from "./key-checks.ts";
import type { LogCheck } from "./log-harness.ts";

const topics = ["inquiries", "nobody-publishes"];

export const inputsOfChecks: readonly LogCheck[] = [
  {
    name: "the inputs of an agent are its own and those of its topics, in log order",
    async run(harness) {
      const log = await harness.connect();
      await log.accept(toAccount("alice", "1", { message: "note" }));
      await log.accept(toInquiries("alice", "2"));
      await log.accept(toInquiries("bob", "of another key"));
      await log.accept(toAccount("bob", "for another agent"));
      await log.accept({ ...toAccount("alice", "of another type"), address: ordersOfAlice });
      await log.accept({ ...toInquiries("alice", "of another topic"), address: newsOfAlice });
      await log.commit([
        turn("alice", 0, { outgoing: [toInquiries("alice", "3"), toAccount("alice", "4")] }),
      ]);
      await log.accept(toInquiries("alice", "5"));
      const inputs = await allInputsOf(log, "alice", {});
      assert.deepEqual(inputs.map(contentOf), ["1", "2", "3", "4", "5"]);
      assert.deepEqual(inputs[0]?.address, { kind: "agent", name: "account", key: "alice" });
      assert.equal(inputs[0]?.metadata.message, "note");
      assert.ok((inputs[0]?.acceptedAtMs ?? 0) > 0);
      assert.deepEqual(inputs[1]?.address, { kind: "topic", name: "inquiries", key: "alice" });
      const own = await log.inputsOf(account("alice"), [], 0, endless);
      assert.deepEqual(own.map(contentOf), ["1", "4"]);
    },
  },
  {
    name: "the inputs of an agent come page by page, without a gap",
    async run(harness) {
      const log = await harness.connect();
      const count = 700;
      // A long run of one kind, then a mix: pages of the two end at different places.
      await Promise.all(
        range(count).map((i) => {
          const isTopic = i < 300 || i % 3 === 0;
          return log.accept((isTopic ? toInquiries : toAccount)("alice", String(i)));
        }),
      );
      const inputs = await allInputsOf(log, "alice", {});
      assert.equal(new Set(inputs.map(contentOf)).size, count);
      assert.equal(inputs.length, count);
    },
  },
  {
    name: "the inputs of an agent begin after a position and end before one",
    async run(harness) {
      const log = await harness.connect();
      const positions: Position[] = [];
      for (const i of range(10)) {
        const draft = (i % 2 === 0 ? toAccount : toInquiries)("alice", String(i));
        positions.push((await log.accept(draft)).position);
      }
      const [, , third = 0, , , , seventh = 0] = positions;
      const between = await allInputsOf(log, "alice", { after: third, before: seventh });
      assert.deepEqual(between.map(contentOf), ["3", "4", "5"]);
      assert.deepEqual(await allInputsOf(log, "alice", { after: third, before: third }), []);
      const last = positions.at(-1) ?? 0;
      assert.deepEqual(await allInputsOf(log, "alice", { after: last }), []);
      assert.deepEqual(await allInputsOf(log, "nobody", {}), []);
    },
  },
  {
    name: "the inputs of an agent are found for odd keys",
    async run(harness) {
      const log = await harness.connect();
      for (const key of oddKeys) {
        await log.accept(toAccount(key, `own ${key}`));
        await log.accept(toInquiries(key, `topic ${key}`));
      }
      for (const key of oddKeys) {
        const contents = (await allInputsOf(log, key, {})).map(contentOf);
        assert.deepEqual(contents, [`own ${key}`, `topic ${key}`]);
      }
    },
  },
];

const ordersOfAlice = { kind: "agent", name: "order", key: "alice" } as const;
const newsOfAlice = { kind: "topic", name: "news", key: "alice" } as const;
const endless = Number.MAX_SAFE_INTEGER;

function contentOf({ payload }: Input): string {
  return text(payload);
}

async function allInputsOf(
  log: Log,
  key: string,
  { after = 0, before = endless }: { after?: Position; before?: Position },
): Promise<Input[]> {
  const inputs: Input[] = [];
  for (let last = after; ;) {
    const page = await log.inputsOf(account(key), topics, last, before);
    if (page.length === 0) return inputs;
    for (const input of page) {
      // Also what keeps this loop from going on for ever.
      assert.ok(input.position > last && input.position < before, "positions grow, and end");
      last = input.position;
      inputs.push(input);
    }
  }
}
