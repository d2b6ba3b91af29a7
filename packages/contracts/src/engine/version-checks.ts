/** Releases of an agent side by side, as in a rolling deploy (I1, I2, I8, I10). */
import assert from "node:assert/strict";

import type { Agent } from "@troupe/core";
import type { None } from "@troupe/core/engine";
import { agent } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { anything, lettersOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

interface Total {
  readonly cents: number;
}
interface Messages {
  readonly add: { readonly input: number; readonly reply: number };
}
type Till = Agent<Total, unknown, None & Messages>;

/** The first release records euros. */
const till: Till = agent("till")
  .state<Total>({ cents: 0 })
  .event("added", anything<number>(), ({ cents }, euros) => ({ cents: cents + euros * 100 }))
  .on("add", anything<number>(), (ctx, euros): number => {
    ctx.emit.added(euros);
    return ctx.state.cents;
  });

/** The second one records cents. */
const newTill: Till = agent("till")
  .state<Total>({ cents: 0 })
  .event("added", anything<Total>(), (state, { cents }) => ({ cents: state.cents + cents }), {
    version: 2,
    upcast: { 1: (euros) => ({ cents: (euros as number) * 100 }) },
  })
  .on("add", anything<number>(), (ctx, euros): number => {
    ctx.emit.added({ cents: euros * 100 });
    return ctx.state.cents;
  });

/** A release of `till` that also knows tips. */
interface Tipped extends Total {
  readonly tips?: number;
}
const tippedTill: Agent<Tipped, unknown, None & Messages & { readonly tip: Messages["add"] }> =
  agent("till")
    .state<Tipped>({ cents: 0 })
    .event("added", anything<number>(), (state, euros) => ({
      ...state,
      cents: state.cents + euros * 100,
    }))
    .event("tipped", anything<number>(), ({ cents, tips = 0 }, euros) => ({
      cents,
      tips: tips + euros * 100,
    }))
    .on("add", anything<number>(), (ctx, euros): number => {
      ctx.emit.added(euros);
      return ctx.state.cents;
    })
    .on("tip", anything<number>(), (ctx, euros): number => {
      ctx.emit.tipped(euros);
      return ctx.state.tips ?? 0;
    });

/** Hears no other worker, so it takes every partition. */
const alone: Tamper = () => ({ onPresence: () => () => undefined });

export const versionChecks: readonly LogCheck[] = [
  {
    name: "I8: a new release goes on with what an old one recorded",
    async run(harness) {
      await using stage = new Stage(harness);
      const before = await stage.host(till);
      assert.equal(await before.troupe.agent(till, "alice").add(1), 100);
      await before.worker.stop();
      const { troupe } = await stage.host(newTill);
      assert.equal(await troupe.agent(newTill, "alice").add(2), 300);
      const versions = (await recordsOf(await stage.log(), "alice", "till")).map(
        ({ events }) => events[0]?.version ?? 1,
      );
      assert.deepEqual(versions, [1, 2]);
    },
  },
  {
    name: "I1: a message of an agent that newer code has touched waits for newer code",
    async run(harness) {
      await using stage = new Stage(harness);
      const after = await stage.host(newTill);
      await after.troupe.agent(newTill, "alice").add(1);
      await after.worker.stop();
      // The new release is rolled back.
      const before = await stage.host(till);
      const client = await stage.client();
      await client.send(till, "alice").add(2);
      await client.send(till, "alice").add(3);
      await before.heard.has("fault");
      assert.equal(await client.agent(till, "bob").add(1), 100);
      const [fault] = before.heard.of("fault");
      assert.equal(fault?.failure.code, "newer-event");
      assert.equal(fault.failure.details?.["agent"], "till/alice");
      // It is tried again and again, and costs nothing.
      await before.heard.has("fault", 3);
      assert.deepEqual(await lettersOf(await stage.log()), []);
      await before.worker.stop();
      await stage.host(newTill);
      assert.equal(await client.agent(till, "alice").add(4), 1000);
      assert.deepEqual(await lettersOf(await stage.log()), []);
    },
  },
  {
    name: "I1: an agent in memory that newer code takes over loses nothing in the old worker",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      let held = false;
      const before = await stage.host(till, {
        tamper: (log) => ({
          ...alone(log),
          commit: async (turns) => {
            if (held) await gate.promise;
            return log.commit(turns);
          },
        }),
      });
      const client = await stage.client();
      assert.equal(await client.agent(till, "alice").add(1), 100);
      held = true;
      // Both read every message; the new code commits first, and the old one has to read that.
      const after = await stage.host(newTill, { tamper: alone });
      assert.equal(await client.agent(till, "alice").add(1), 200);
      gate.resolve();
      await before.heard.has("fault");
      assert.equal(before.heard.of("fault")[0]?.failure.code, "newer-event");
      assert.equal(await client.agent(till, "bob").add(1), 100);
      await after.worker.stop();
      const faults = before.heard.of("fault").length;
      await client.send(till, "alice").add(5);
      assert.equal(await client.agent(till, "carol").add(1), 100);
      await before.heard.has("fault", faults + 2);
      assert.deepEqual(await lettersOf(await stage.log()), []);
      await stage.host(newTill, { tamper: alone });
      assert.equal(await client.agent(till, "alice").add(1), 800);
      assert.deepEqual(await lettersOf(await stage.log()), []);
    },
  },
  {
    name: "I8: a snapshot is no way around an event that older code does not declare",
    async run(harness) {
      await using stage = new Stage(harness);
      const client = await stage.client();
      const after = await stage.host(tippedTill, { snapshotTurns: 1 });
      assert.equal(await client.agent(tippedTill, "alice").tip(1), 100);
      await after.heard.has("snapshot.saved");
      await after.worker.stop();
      // The new release is rolled back.
      const before = await stage.host(till, { snapshotTurns: 1 });
      await client.send(till, "alice").add(2);
      await before.heard.has("fault");
      assert.equal(before.heard.of("fault")[0]?.failure.code, "unknown-event");
      await before.worker.stop();
      await stage.host(tippedTill);
      assert.equal(await client.agent(tippedTill, "alice").tip(3), 400);
    },
  },
  {
    name: "I8: code that declares more events goes on from a snapshot of code that declared fewer",
    async run(harness) {
      await using stage = new Stage(harness);
      const client = await stage.client();
      const before = await stage.host(till, { snapshotTurns: 1 });
      assert.equal(await client.agent(till, "alice").add(1), 100);
      await before.heard.has("snapshot.saved");
      await before.worker.stop();
      const reads: number[] = [];
      await stage.host(tippedTill, {
        tamper: (log) => ({
          journal: (who, from, options) => {
            reads.push(from);
            return log.journal(who, from, options);
          },
        }),
      });
      assert.equal(await client.agent(tippedTill, "alice").add(2), 300);
      assert.ok(Math.min(...reads) > 0, "only the tail of the journal is read");
    },
  },
];
