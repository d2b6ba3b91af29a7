/**
 * Large turns and large states: they are stored or end by name, and cost no neighbour (I7, I10).
 */
import assert from "node:assert/strict";

import type { Agent } from "@troupe/core";
import type { None } from "@troupe/core/engine";
import { agentNamed, agent } from "@troupe/core";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, lettersOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

/** A number of events, each with a text of so many bytes. */
interface Batch {
  readonly count: number;
  readonly bytes: number;
}

interface Messages {
  readonly emit: { readonly input: Batch; readonly reply: number };
  readonly send: { readonly input: number; readonly reply: number };
}

type Counter = Agent<{ readonly n: number }, unknown, None & Messages>;

/** Counts its events. @param done is called after each thing that a handler did */
function counter(done: () => void = () => undefined): Counter {
  return agent("counter")
    .state<{ readonly n: number }>({ n: 0 })
    .event("counted", anything<string>(), ({ n }) => ({ n: n + 1 }))
    .on("emit", anything<Batch>(), (ctx, { bytes, count }): number => {
      for (let left = count; left > 0; left--) {
        ctx.emit.counted("x".repeat(bytes));
        done();
      }
      return ctx.state.n;
    })
    .on("send", anything<number>(), (ctx, count): number => {
      for (let left = count; left > 0; left--) {
        ctx.send(agentNamed("counter"), "other")["emit"]?.({ bytes: 1, count: 1 });
        done();
      }
      return ctx.state.n;
    });
}

/** An agent whose state is as large as it is told to be. */
const hoard = agent("hoard")
  .state<{ readonly text: string }>({ text: "" })
  .event("grown", anything<number>(), (_, bytes) => ({ text: "x".repeat(bytes) }))
  .on("grow", anything<number>(), (ctx, bytes) => ctx.emit.grown(bytes))
  .on("size", anything<null>(), (ctx): number => ctx.state.text.length);

const few = range(20).map((i) => `few-${i}`);

export const limitChecks: readonly LogCheck[] = [
  {
    name: "I7: a turn with 10 000 events is stored, and its neighbours go on",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host(counter());
      const emit = (key: string, count: number): Promise<number> =>
        troupe.agent(counter(), key).emit({ count, bytes: 3 });
      const [many, ...others] = await Promise.all([
        emit("many", 10_000),
        ...few.map((key) => emit(key, 1)),
      ]);
      assert.equal(many, 10_000);
      assert.deepEqual(
        others,
        few.map(() => 1),
      );
      const [record] = await recordsOf(await stage.log(), "many", "counter");
      assert.equal(record?.events.length, 10_000);
      assert.equal(await emit("many", 1), 10_001);
    },
  },
  {
    name: "I7: a turn with more events than a record has room for ends by name, where it emits them",
    async run(harness) {
      await using stage = new Stage(harness);
      let emitted = 0;
      const { troupe } = await stage.host(counter(() => void (emitted += 1)));
      const emit = (key: string, count: number): Promise<number> =>
        troupe.agent(counter(), key).emit({ count, bytes: 1000 });
      const tooMany = emit("many", 20_000);
      const [, ...others] = await Promise.all([
        rejectsWith(tooMany, "turn-too-large"),
        ...few.map((key) => emit(key, 1)),
      ]);
      assert.deepEqual(
        others,
        few.map(() => 1),
      );
      const log = await stage.log();
      assert.ok(emitted - few.length <= log.limits.payloadBytesMax / 1000);
      assert.deepEqual(await lettersOf(log), ["turn-too-large"]);
      assert.equal(await emit("many", 1), 1);
    },
  },
  {
    name: "I7: an event that is too large ends by name, and the handler may do without it",
    async run(harness) {
      await using stage = new Stage(harness);
      const careful = agent("careful")
        .state<{ readonly texts: readonly string[] }>({ texts: [] })
        .event("said", anything<string>(), ({ texts }, text) => ({ texts: [...texts, text] }))
        .on("say", anything<string>(), (ctx, text): readonly string[] => {
          try {
            ctx.emit.said(text);
          } catch (thrown) {
            if (text.startsWith("really")) throw thrown;
            ctx.emit.said(String((thrown as { readonly code?: unknown }).code));
          }
          return ctx.state.texts;
        });
      const { troupe } = await stage.host(careful, { eventBytesMax: 100 });
      const alice = troupe.agent(careful, "alice");
      const much = "x".repeat(99);
      // A text of 98 bytes has two more as it is stored.
      assert.deepEqual(await alice.say(much.slice(1)), [much.slice(1)]);
      assert.deepEqual(await alice.say(much), [much.slice(1), "event-too-large"]);
      await rejectsWith(alice.say(`really ${much}`), "event-too-large");
      assert.deepEqual(await lettersOf(await stage.log()), ["event-too-large"]);
    },
  },
  {
    name: "I7: a handler that sends without end is stopped by name, and nothing is sent",
    async run(harness) {
      await using stage = new Stage(harness);
      let sent = 0;
      const { troupe } = await stage.host(counter(() => void (sent += 1)));
      await rejectsWith(troupe.agent(counter(), "many").send(20_000), "turn-too-large");
      const log = await stage.log();
      assert.equal(sent, log.limits.commitMessagesMax - 1);
      assert.deepEqual(await recordsOf(log, "other", "counter"), []);
      assert.equal(await troupe.agent(counter(), "few").send(3), 0);
    },
  },
  {
    name: "I7: a state of 10 MB gets no snapshot and a fault by name; it and its neighbours go on",
    async run(harness) {
      await using stage = new Stage(harness);
      const bytes = 10_000_000;
      const first = await stage.host(hoard, { snapshotTurns: 1 });
      await first.troupe.agent(hoard, "large").grow(bytes);
      await first.heard.has("fault");
      const [fault] = first.heard.of("fault");
      assert.equal(fault?.what, "snapshot of hoard/large");
      assert.equal(fault.failure.code, "state-too-large");
      assert.equal(first.heard.of("snapshot.saved").length, 0);
      await Promise.all(few.map((key) => first.troupe.agent(hoard, key).grow(7)));
      await first.heard.has("snapshot.saved");
      assert.equal(await first.troupe.agent(hoard, "large").size(null), bytes);
      await first.worker.stop();
      const second = await stage.host(hoard, { snapshotTurns: 1 });
      assert.equal(await second.troupe.agent(hoard, "large").size(null), bytes);
      // It may become smaller again, and then it has snapshots.
      await second.troupe.agent(hoard, "large").grow(5);
      await second.heard.has("snapshot.saved");
      assert.deepEqual(await lettersOf(await stage.log()), []);
    },
  },
];
