/** Turns of a key run one at a time, in log order; other keys are not held up (I2). */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import { topic } from "@troupe/core";
import { bytes, keysOfPartition, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { ledger, noteSchema, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

export const orderChecks: readonly LogCheck[] = [
  {
    name: "I2: the messages of one key are handled one at a time, in log order",
    async run(harness) {
      await using stage = new Stage(harness);
      let running = 0;
      let runningMax = 0;
      const agent = ledger(async (_, { text }) => {
        running += 1;
        runningMax = Math.max(runningMax, running);
        for (let left = Number(text) % 3; left > 0; left--) await nextTurnOfTheLoop();
        running -= 1;
      });
      const host = await stage.host(agent);
      const clients = [host.troupe, await stage.client(), await stage.client()];
      const sent = await Promise.all(
        range(150).map(async (i) => {
          const receipt = await clients[i % 3]?.send(agent, "alice").note({ text: `${i}` });
          return { text: `${i}`, position: receipt?.position ?? 0 };
        }),
      );
      await host.heard.has("turn.committed", 150);
      const inLogOrder = sent.toSorted((a, b) => a.position - b.position);
      const log = await stage.log();
      assert.deepEqual(
        await notesOf(log, "alice"),
        inLogOrder.map(({ text }) => text),
      );
      const records = await recordsOf(log, "alice");
      assert.deepEqual(
        records.map(({ inputPosition }) => inputPosition),
        inLogOrder.map(({ position }) => position),
      );
      assert.deepEqual(
        records.map(({ turn }) => turn),
        range(150).map((i) => i + 1),
      );
      assert.equal(runningMax, 1);
    },
  },
  {
    name: "I2: messages, publications and what foreign clients send to one key keep one order",
    async run(harness) {
      await using stage = new Stage(harness);
      const notices = topic("notices", noteSchema);
      const agent = ledger().subscribe(notices, async (context, note) => {
        await nextTurnOfTheLoop();
        context.emit.noted(note);
      });
      const host = await stage.host(agent);
      for (const i of range(10)) {
        await host.troupe.send(agent, "alice").note({ text: `sent ${i}` });
        await host.troupe.publish(notices, "alice", { text: `published ${i}` });
        await harness.publishForeign("topic", "notices", "alice", bytes(`{"text":"bare ${i}"}`));
        const named = bytes(`{"note":{"text":"named ${i}"}}`);
        await harness.publishForeign("agent", "ledger", "alice", named);
      }
      await host.heard.has("turn.committed", 40);
      const ways = ["sent", "published", "bare", "named"];
      assert.deepEqual(
        await notesOf(await stage.log(), "alice"),
        range(10).flatMap((i) => ways.map((way) => `${way} ${i}`)),
      );
    },
  },
  {
    name: "I2: a blocked key does not hold up others, nor does its turn delay their commits",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const echoes = topic("echoes", noteSchema);
      const agent = ledger((context, { text }) => {
        context.publish(echoes, context.agent.key, { text });
        return text === "wait" ? gate.promise : undefined;
      });
      const host = await stage.host(agent);
      const blocked = host.troupe.agent(agent, "blocked").note({ text: "wait" });
      const behind = host.troupe.agent(agent, "blocked").note({ text: "behind" });
      await host.heard.has("turn.started");
      const replies = await Promise.all(
        range(60).map((i) => host.troupe.agent(agent, `key-${i}`).note({ text: "go" })),
      );
      assert.deepEqual(new Set(replies), new Set([1]));
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "blocked"), []);
      gate.resolve();
      assert.deepEqual(await Promise.all([blocked, behind]), [1, 2]);
      assert.deepEqual(await notesOf(log, "blocked"), ["wait", "behind"]);
    },
  },
  {
    name: "I2: one hot key with 2000 messages ends exact, with turns that run ahead of their commits",
    async run(harness) {
      await using stage = new Stage(harness);
      const agent = ledger();
      const client = await stage.client();
      const texts = range(2000).map((i) => `${i}`);
      const host = await stage.host(agent);
      const accepted = texts.map(async (text) => client.send(agent, "hot").note({ text }));
      const receipts = await Promise.all(accepted);
      await host.heard.has("turn.committed", 2000);
      const inLogOrder = texts
        .map((text, i) => ({ text, position: receipts[i]?.position ?? 0 }))
        .toSorted((a, b) => a.position - b.position);
      assert.deepEqual(
        await notesOf(await stage.log(), "hot"),
        inLogOrder.map(({ text }) => text),
      );
      const commits = host.heard.of("commit.stored").length;
      assert.ok(commits <= 1000, `${commits} commits for 2000 turns of one key`);
    },
  },
  {
    name: "I7: a partition whose turns do not end is read no further than its window and what is lent of it",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      let read = 0;
      const book = ledger(() => gate.promise);
      const host = await stage.host(book, {
        windowMax: 8,
        // So half as many places may be lent.
        activationsMax: 40,
        callDepthMax: 7,
        tamper: (log) => ({
          read: (request) =>
            log.read({
              ...request,
              onInput: (input) => {
                read += 1;
                request.onInput(input);
              },
            }),
        }),
      });
      for (const key of keysOfPartition(host.troupe.log, 3, 60)) {
        await host.troupe.send(book, key).note({ text: "wait" });
      }
      await host.heard.has("turn.started");
      await (await stage.log()).flush();
      assert.ok(read <= 28, `${read} inputs were read`);
      gate.resolve();
      await host.heard.has("turn.committed", 60);
    },
  },
  {
    name: "I2: more keys than handlers may run at once all get their turn, whatever their handlers do",
    async run(harness) {
      await using stage = new Stage(harness);
      const agent = ledger((_, { text }) => (text === "wait" ? nextTurnOfTheLoop() : undefined));
      const host = await stage.host(agent, { handlersMax: 2 });
      const texts = ["wait", "go", "wait", "go", "go"];
      await Promise.all(
        range(40).flatMap((i) =>
          texts.map((text) => host.troupe.send(agent, `key-${i}`).note({ text })),
        ),
      );
      await host.heard.has("turn.committed", 200);
      assert.deepEqual((await notesOf(await stage.log(), "key-7")).toSorted(), texts.toSorted());
    },
  },
];
