/** Erasures of agents that live on: entries of a second life stay, and sent messages are told. */
import assert from "node:assert/strict";

import { agent, personal } from "@troupe/core";
import { keyTokenBytesMax } from "@troupe/core/log";
import type { Log } from "@troupe/core/log";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { wholeJournal } from "../observe.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";

const remark = personal(anything<{ readonly text: string }>(), { fields: { text: "(erased)" } });

const friend = agent("friend")
  .state<readonly string[]>([])
  .event("said", remark, (all, { text }) => [...all, text])
  .on("say", remark, (ctx, message) => {
    ctx.emit.said(message);
    ctx.send(listener, "l").hear({});
  })
  .on("look", anything<object>(), (ctx) => ctx.state)
  .on("remindLater", anything<object>(), (ctx) => {
    ctx.after(3_600_000).look({});
    ctx.every(3_600_000).look({});
  });

const listener = agent("listener").on("hear", anything<object>(), () => undefined);

const timers = { kind: "timers", agent: { type: "friend", key: "42" } } as const;

export const erasureResumedChecks: readonly LogCheck[] = [
  {
    name: "ERASE-1, ERASE-3: of many agents each goes altogether, and begins a new life that is handled",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([friend, listener]);
      const log = await stage.log();
      const keys = range(8).map((key) => `${key}`);
      for (const key of keys) await troupe.agent(friend, key).say({ text: "old" });
      for (const key of keys) {
        const agentId = { type: "friend", key };
        await troupe.erase(friend, key);
        assert.equal((await wholeJournal(log, agentId)).length, 1, "only the tombstone");
        await stage.until("the running agent forgets", async () => {
          return (await troupe.agent(friend, key).look({})).length === 0;
        });
        await troupe.agent(friend, key).say({ text: "new" });
        assert.deepEqual(await troupe.agent(friend, key).look({}), ["new"]);
      }
    },
  },
  {
    name: "ERASE-3: an erasure that is finished later leaves the timers and the personal data of a new life",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([friend, listener]);
      await troupe.agent(friend, "42").say({ text: "old" });
      await troupe.agent(friend, "42").remindLater({});
      const broken = await stage.client({ tamper: failingAt("inputs") });
      await assert.rejects(broken.erase(friend, "42"), /killed/);
      await stage.until("the running agent forgets", async () => {
        return (await troupe.agent(friend, "42").look({})).length === 0;
      });
      await troupe.agent(friend, "42").say({ text: "new" });
      await troupe.agent(friend, "42").remindLater({});
      const log = await stage.log();
      const { count } = await log.holdings(timers, Infinity);
      assert.equal(count, 2);
      const { key, resumed } = await troupe.erase(friend, "42");
      assert.deepEqual({ key, resumed }, { key: true, resumed: true });
      assert.equal((await log.holdings(timers, Infinity)).count, count);
      await troupe.close();
      const next = await stage.host([friend, listener]);
      assert.deepEqual(await next.troupe.agent(friend, "42").look({}), ["new"]);
    },
  },
  {
    name: "an agent with the longest key is erased, and its erasure can be finished",
    async run(harness) {
      await using stage = new Stage(harness);
      const key = "k".repeat(keyTokenBytesMax);
      const { troupe } = await stage.host([friend, listener]);
      await troupe.agent(friend, key).say({ text: "old" });
      const broken = await stage.client({ tamper: failingAt("inputs") });
      await assert.rejects(broken.erase(friend, key), /killed/);
      assert.equal((await troupe.erase(friend, key)).resumed, true);
    },
  },
  {
    name: "ERASE-4: what an agent sends while its tombstone is on its way is told",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([friend, listener]);
      await troupe.agent(friend, "42").say({ text: "one" });
      let hasEnded = false;
      const tamper = (inner: Log): Partial<Log> => ({
        end: async () => {
          const end = await inner.end();
          if (!hasEnded) {
            hasEnded = true;
            await troupe.agent(friend, "42").say({ text: "two" });
          }
          return end;
        },
      });
      const { sent, sentCount } = await (await stage.client({ tamper })).erase(friend, "42");
      assert.deepEqual(
        sent.map(({ to }) => to),
        ["agent/listener/l", "agent/listener/l"],
      );
      assert.equal(sentCount, 2);
    },
  },
];

/** Kills the process that erases when it comes to this part. */
function failingAt(kind: "inputs"): (inner: Log) => Partial<Log> {
  return (inner) => ({
    destroy: (part, upTo, options) => {
      if (part.kind === kind) throw new Error("killed");
      return inner.destroy(part, upTo, options);
    },
  });
}
