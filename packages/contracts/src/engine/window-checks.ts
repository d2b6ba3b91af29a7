/**
 * Inputs that a worker reads ahead are bounded, in number and in bytes, and waiting ones starve
 * nobody (I7).
 */
import assert from "node:assert/strict";

import { agent, topic } from "@troupe/core";
import { keysOfPartition, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { collect } from "../observe.ts";
import { anything, lettersOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

export const windowChecks: readonly LogCheck[] = [
  {
    name: "I7: payloads in memory are bounded in bytes; the others wait on the log and are handled",
    async run(harness) {
      await using stage = new Stage(harness);
      const open = Promise.withResolvers<void>();
      let begun = 0;
      let handled = 0;
      const reader = agent("reader").on("look", anything<string>(), async () => {
        begun += 1;
        await open.promise;
        handled += 1;
      });
      const log = await stage.log();
      const bytes = 50_000;
      const keys = keysOfPartition(log, 0, 40);
      const { troupe } = await stage.host(reader, {
        windowBytesMax: bytes * 6,
      });
      for (const key of keys) await troupe.send(reader, key).look("x".repeat(bytes));
      await stage.until("some are under way", () => begun >= 3);
      await collect(harness, log, { source: 0 }).has(keys.length);
      await log.flush();
      // As many are lent as fit, and of this partition one in any case.
      assert.ok(begun <= 7, `${begun} payloads are in memory, 7 fit`);
      open.resolve();
      await stage.until("all are handled", () => handled === keys.length);
    },
  },
  {
    name: "I7: a payload that is larger than its partition's part of the bytes is handled all the same",
    async run(harness) {
      await using stage = new Stage(harness);
      const sizes = [10, 90_000, 10, 90_000, 90_000, 10];
      const seen: number[] = [];
      const reader = agent("reader").on("look", anything<string>(), (_, content) => {
        seen.push(content.length);
      });
      const { troupe } = await stage.host(reader, { windowBytesMax: 1000 });
      for (const size of sizes) await troupe.send(reader, "alice").look("x".repeat(size));
      await stage.until("all are handled", () => seen.length === sizes.length);
      assert.deepEqual(seen, sizes);
    },
  },
  {
    name: "I7: handlers that wait hold up no handler that returns at once, of their type or another",
    async run(harness) {
      await using stage = new Stage(harness);
      const open = Promise.withResolvers<void>();
      const slow = agent("slow")
        .on("go", anything<null>(), () => open.promise)
        .on("look", anything<null>(), () => "here");
      const quick = agent("quick").on("ping", anything<null>(), () => "pong");
      const { heard, troupe } = await stage.host([slow, quick], { handlersMax: 2 });
      // A handler's pace is known when it has returned once.
      await Promise.all([
        troupe.agent(slow, "first").look(null),
        troupe.agent(quick, "first").ping(null),
      ]);
      for (const i of range(12)) await troupe.send(slow, `key-${i}`).go(null);
      await heard.has("turn.started", 4);
      assert.equal(await troupe.agent(quick, "alice").ping(null), "pong");
      assert.equal(await troupe.agent(slow, "alice").look(null), "here");
      open.resolve();
    },
  },
  {
    name: "I7: in a window of one, agents of one partition that ask each other are answered",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const [deepest = "", ...keys] = keysOfPartition(log, 0, 9);
      const echo = agent("echo").on("say", anything<string>(), async (_, text) => text);
      const asker = agent("asker").on("go", anything<string>(), async (ctx, text) =>
        ctx.ask(echo, deepest).say(text),
      );
      const { troupe } = await stage.host([echo, asker], { windowMax: 1 });
      const asks = keys.flatMap((key) => [
        troupe.agent(asker, key).go(`${key} first`),
        troupe.agent(asker, key).go(`${key} second`),
      ]);
      const expected = keys.flatMap((key) => [`${key} first`, `${key} second`]);
      assert.deepEqual(await Promise.all(asks), expected);
    },
  },
  {
    name: "I2: more stuck keys than a window has places hold up nobody in their partition",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const [free = "", ...stuck] = keysOfPartition(log, 0, 21);
      const open = Promise.withResolvers<void>();
      let handled = 0;
      const clerk = agent("clerk").on("note", anything<boolean>(), async (_, waits) => {
        if (waits) await open.promise;
        handled += 1;
      });
      const { troupe } = await stage.host(clerk, { windowMax: 4, keyWindowMax: 2 });
      for (const key of stuck) {
        for (const _ of range(5)) await troupe.send(clerk, key).note(true);
      }
      await troupe.agent(clerk, free).note(false);
      assert.equal(handled, 1);
      open.resolve();
      await stage.until("all are handled", () => handled === 101);
    },
  },
  {
    name: "I7: what has not started because others wait is given back at once when its worker stops",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const [begun = "", ...waiting] = keysOfPartition(log, 0, 6);
      const open = Promise.withResolvers<void>();
      const slow = agent("slow").on("go", anything<null>(), () => open.promise);
      const first = await stage.host(slow, { handlersMax: 1 });
      await first.troupe.send(slow, begun).go(null);
      await first.heard.has("turn.started");
      for (const key of waiting) await first.troupe.send(slow, key).go(null);
      const stopped = first.worker.stop();
      open.resolve();
      await stopped;
      // One started; the others are not even counted as runs.
      assert.equal(first.heard.of("turn.started").length, 1);
      const second = await stage.host(slow);
      await second.heard.has("turn.started", waiting.length);
    },
  },
  {
    name: "I7: a topic that feeds itself comes to an end by name, and a timer begins anew",
    async run(harness) {
      await using stage = new Stage(harness);
      const echoes = topic("echoes", anything<number>());
      let turns = 0;
      const echo = agent("echo")
        .on("rest", anything<null>(), (ctx) => {
          turns += 1;
          ctx.publish(echoes, ctx.agent.key, 0);
        })
        .subscribe(echoes, (ctx, count) => {
          turns += 1;
          if (count === 3) ctx.after(1000).rest(null);
          else ctx.publish(echoes, ctx.agent.key, count + 1);
        });
      const { heard, troupe } = await stage.host(echo, { hopsMax: 5 });
      await troupe.publish(echoes, "first", 10);
      await heard.has("dead-letter");
      assert.deepEqual(await lettersOf(await stage.log()), ["hop-limit"]);
      assert.equal(turns, 6);
      await troupe.publish(echoes, "second", 0);
      // With the timer between them, twice as many.
      await stage.until("it goes on after the timer", () => turns >= 6 + 9);
      assert.equal(heard.of("dead-letter").length, 1);
    },
  },
];
