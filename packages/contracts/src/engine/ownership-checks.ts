/**
 * Workers come, stop and die: partitions move, nothing is lost, nothing is committed twice (I2, I4,
 * I5).
 */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import type { Troupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { topic } from "@troupe/core";
import { keysOfPartition, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { ledger, notesOf, noteSchema, recordsOf, sendTo, type Ledger } from "./ledger.ts";
import { type Host, Stage } from "./stage.ts";

const keys = range(24).map((i) => `key-${i}`);

export const ownershipChecks: readonly LogCheck[] = [
  {
    name: "a worker that joins gets its share under load; nothing is lost and no order changes",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger(() => nextTurnOfTheLoop());
      const first = await stage.host(book);
      const client = await stage.client();
      const sent = sendTo(client, book, keys, 20);
      await first.heard.has("turn.committed", 20);
      const second = await stage.host(book);
      await sent;
      await stage.until("both hold a share", () => shares([first, second]).every((n) => n > 0));
      const log = await stage.log();
      await handledInOrder(stage, log, keys, 20);
      const asked = keys.map((key) => client.agent(book, key).note({ text: "last" }));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([21]));
      const workers = new Set<string>();
      for (const key of keys)
        for (const { worker } of await recordsOf(log, key)) workers.add(worker);
      assert.equal(workers.size, 2);
      await stage.until("every partition is held once", () => {
        return shares([first, second]).reduce((sum, n) => sum + n, 0) === log.partitions;
      });
    },
  },
  {
    name: "when a worker dies the other one goes on where the journal ends",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger(() => nextTurnOfTheLoop());
      const first = await stage.host(book);
      const second = await stage.host(book);
      await stage.until("both hold a share", () => shares([first, second]).every((n) => n > 0));
      const client = await stage.client();
      const sent = sendTo(client, book, keys, 30);
      await first.heard.has("turn.committed", 60);
      first.crash();
      await sent;
      await handledInOrder(stage, await stage.log(), keys, 30);
    },
  },
  {
    name: "two workers of one client share the work",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const host = await stage.host(book, { id: "first" });
      const timings = { joinDelayMs: 30, heartbeatMs: 40 };
      const other = await host.troupe.work(book, { id: "second", timings });
      await stage.until("both hold a share", () => {
        return host.worker.holdings.length > 0 && other.holdings.length > 0;
      });
      await assert.rejects(host.troupe.work(book, { id: "second" }), /second/);
      const asked = keys.map((key) => host.troupe.agent(book, key).note({ text: "hello" }));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([1]));
      await other.stop();
      const again = keys.map((key) => host.troupe.agent(book, key).note({ text: "again" }));
      assert.deepEqual(new Set(await Promise.all(again)), new Set([2]));
    },
  },
  {
    name: "of two workers of one id, the second does not start, and the first goes on",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const options = { id: "the-one" };
      const first = await stage.host(book, options);
      const witness = await stage.host(book);
      await stage.until("they share", () => shares([first, witness]).every((n) => n > 0));
      const held = first.worker.holdings.length;
      // Long enough to hear of the first one, however busy the machine is.
      const patient = { ...options, timings: { joinDelayMs: 2000 } };
      await rejectsWith(stage.host(book, patient), "worker-id-taken");
      assert.equal(first.worker.holdings.length, held);
      assert.deepEqual(witness.heard.of("worker.left"), []);
      const asked = keys.map((key) => witness.troupe.agent(book, key).note({ text: "hello" }));
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([1]));
      // When it has stopped, or died, its id is free.
      await first.worker.stop();
      const next = await stage.host(book, options);
      next.crash();
      const last = await stage.host(book, options);
      assert.equal(last.worker.id, "the-one");
    },
  },
  {
    name: "an agent type that is taken later reads from its own floor; the others miss and repeat nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const notices = topic("notices", noteSchema);
      const runs: string[] = [];
      const [early, late] = ["early", "late"].map((type) =>
        ledger(undefined, type).subscribe(notices, (context, note) => {
          runs.push(`${type} ${context.agent.key} ${note.text}`);
          context.emit.noted(note);
        }),
      ) as [Ledger, Ledger];
      const some = keys.slice(0, 6);
      const publish = async (client: Troupe, text: string): Promise<void> => {
        for (const key of some) await client.publish(notices, key, { text });
      };
      // Hosts the first type, and the second one only when its last other host is gone.
      const other = await stage.host(late);
      const both = await stage.host([early, late]);
      const client = await stage.client();
      for (const i of range(5)) await publish(client, `${i}`);
      const log = await stage.log();
      await other.worker.stop();
      for (const i of range(5)) await publish(client, `${i + 5}`);
      const texts = range(10).map((i) => `${i}`);
      for (const type of ["early", "late"]) {
        for (const key of some) {
          await stage.until(`${type}/${key} is handled`, async () => {
            return (await notesOf(log, key, type)).length >= 10;
          });
          assert.deepEqual(await notesOf(log, key, type), texts, `${type}/${key}`);
        }
      }
      assert.equal(runs.length, 2 * 10 * some.length);
      assert.equal(
        both.heard.of("turn.duplicate").filter(({ agent }) => agent.type === "early").length,
        0,
      );
    },
  },
  {
    name: "I7: an agent type that leaves takes no room from the types that stay",
    async run(harness) {
      await using stage = new Stage(harness);
      const stays = ledger(undefined, "stays");
      const failing = ledger(() => {
        throw new Error("not on this worker");
      }, "leaves");
      const later = { attemptsMax: 1000, delayMs: 60_000, delayMsMax: 60_000 };
      const host = await stage.host([stays, failing], { windowMax: 4, retry: later });
      const client = await stage.client();
      // Every partition has as many inputs as fit: one waits for its next try, the others behind
      // it.
      const some = range(16).map((i) => keysOfPartition(client.log, i, 1)[0] ?? "");
      for (const key of some) {
        for (const i of range(4)) await client.send(failing, key).note({ text: `${i}` });
      }
      await host.heard.has("turn.retrying", some.length);
      const leaves = ledger(undefined, "leaves");
      await stage.host(leaves);
      await stage.host(leaves);
      await stage.until("the type is spread over three workers", () => {
        return host.worker.holdings.filter(({ type }) => type === "leaves").length < 8;
      });
      const moved = new Set(range(client.log.partitions));
      for (const { type, partition } of host.worker.holdings) {
        if (type === "leaves") moved.delete(partition);
      }
      const asked = some
        .filter((_, partition) => moved.has(partition))
        .map((key) => client.agent(stays, key, { timeoutMs: 3000 }).note({ text: "still here" }));
      assert.ok(asked.length > 8);
      assert.deepEqual(new Set(await Promise.all(asked)), new Set([1]));
    },
  },
];

async function handledInOrder(
  stage: Stage,
  log: Log,
  receivers: readonly string[],
  count: number,
): Promise<void> {
  const texts = range(count).map((i) => `${i}`);
  for (const key of receivers) {
    await stage.until(`${key} is handled`, async () => (await notesOf(log, key)).length >= count);
    assert.deepEqual(await notesOf(log, key), texts, key);
    const positions = (await recordsOf(log, key)).map(({ inputPosition }) => inputPosition);
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    );
  }
}

function shares(hosts: readonly Host[]): number[] {
  return hosts.map(({ worker }) => worker.holdings.length);
}
