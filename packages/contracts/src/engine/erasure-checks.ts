/**
 * Erasing an agent: the entries that go, those that stay, and that no earlier message runs again.
 */
import assert from "node:assert/strict";

import { agent, memoryModel, memorySink, projection, topic } from "@troupe/core";
import type { Troupe, MemorySink } from "@troupe/core";
import { keyToToken, partitionOfToken } from "@troupe/core/log";
import type { Log } from "@troupe/core/log";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { anything } from "./ledger.ts";
import { Stage } from "./stage.ts";

const orders = topic("orders", anything<string>());

const shopper = agent("shopper")
  .state<readonly string[]>([])
  .event("bought", anything<string>(), (all, what) => [...all, what])
  .on("buy", anything<string>(), async (ctx, what) => {
    await ctx.step("pay", what, async () => `paid ${what}`);
    ctx.emit.bought(what);
    ctx.send(shelf, "s").take(what);
    return what;
  })
  .on("remindLater", anything<string>(), (ctx, what) => {
    ctx.after(3_600_000).buy(what);
  })
  .on("fail", anything<string>(), (_, what) => {
    throw new Error(what);
  })
  .on("look", anything<object>(), (ctx) => ctx.state)
  .subscribe(orders, (ctx, what) => ctx.emit.bought(what));

const shelf = agent("shelf").on("take", anything<string>(), () => undefined);

const auditor = agent("auditor").subscribe(orders, () => undefined);

const bought = projection(
  "bought",
  memoryModel(() => new Map<string, string[]>()),
)
  .on(shopper, "bought", (model, what, { agent: { key } }) => {
    model.set(key, [...(model.get(key) ?? []), what]);
  })
  .onErased(shopper, (model, { agent: { key } }) => void model.delete(key));

/** Nowhere else in what is stored. */
const secret = "Quetzalcoatl";
const erased = { type: "shopper", key: "42" } as const;

export const erasureChecks: readonly LogCheck[] = [
  {
    name: "ERASE-1, ERASE-2: nothing of an erased agent is left but its tombstone, and the others are untouched",
    async run(harness) {
      await using stage = new Stage(harness);
      const { heard, troupe } = await stage.host([shopper, shelf], { snapshotTurns: 1 });
      const sink = memorySink();
      const running = await troupe.project(bought, sink);
      const early = memorySink();
      for (const key of ["42", "43"]) {
        // It ends on a record of the one that is erased then.
        if (key === "43") await projectOnce(troupe, early);
        await troupe.agent(shopper, key).buy(`${secret} ${key}`);
        await troupe.publish(orders, key, `${secret} ${key}`);
        await troupe.agent(shopper, key).remindLater(secret);
        await troupe.send(shopper, key).fail(secret);
        await troupe.agent(shopper, key).look({});
      }
      await heard.has("snapshot.saved", 10);
      const log = await stage.log();
      const before = await counts(log);
      await running.caughtUp();
      const dry = await troupe.erase(shopper, "42", { dryRun: true });
      assert.deepEqual(await counts(log), before, "a dry run changes nothing");
      const { done, parts, sentCount } = await troupe.erase(shopper, "42", { by: "the desk" });
      assert.equal(done, true);
      const found = Object.fromEntries(parts.map(({ count, part }) => [part, count]));
      assert.equal(found["messages"], 4);
      assert.equal(found["publications on orders"], 1);
      assert.equal(found["dead letters"], 1);
      assert.equal(sentCount, 1);
      // These go before they are counted: timers first, the snapshot by the worker itself.
      const gone = new Set(["timers", "snapshot"]);
      for (const { count, part } of dry.parts) {
        if (!gone.has(part)) assert.equal(found[part], count, part);
      }
      assert.deepEqual(await holding(log, `${secret} 42`), ["input agent/shelf/s"]);
      assert.deepEqual(await holding(log, secret, ({ key }) => key === "42"), []);
      const records = await log.journal(erased, 0);
      assert.equal(records.length, 1);
      await running.caughtUp();
      assert.deepEqual([...sink.read(bought)], [["43", [`${secret} 43`, `${secret} 43`]]]);
      // The record on which it stood is destroyed: it goes on all the same.
      await projectOnce(troupe, early);
      assert.deepEqual([...early.read(bought)], [...sink.read(bought)]);
      const kept = [`${secret} 43`, `${secret} 43`];
      assert.deepEqual(await troupe.agent(shopper, "43").look({}), kept);
    },
  },
  {
    name: "ERASE-3: a new life begins empty, counts on, and an input of before does nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host([shopper, shelf]);
      await first.troupe.agent(shopper, "42").buy(secret);
      await first.troupe.erase(shopper, "42");
      await stage.until("the running agent forgets", async () => {
        return (await first.troupe.agent(shopper, "42").look({})).length === 0;
      });
      assert.equal(await first.troupe.agent(shopper, "42").buy("bread"), "bread");
      await first.troupe.close();
      const { troupe } = await stage.host([shopper, shelf]);
      assert.deepEqual(await troupe.agent(shopper, "42").look({}), ["bread"]);
      const turns: number[] = [];
      let state: unknown;
      for await (const turn of troupe.replay(shopper, "42")) {
        turns.push(turn.record.turn);
        state = turn.state;
      }
      assert.deepEqual(state, ["bread"]);
      assert.ok((turns[0] ?? 0) > 1, "the numbers go on");
      assert.deepEqual(
        turns,
        turns.toSorted((a, b) => a - b),
      );
    },
  },
  {
    name: "I4: an input that is read again after the erasure of its agent is not handled",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const counter = agent("counter").on("count", anything<object>(), () => ++runs);
      const first = await stage.host(counter);
      await first.troupe.agent(counter, "42").count({});
      const log = await stage.log();
      const [input] = await log.inputsOf({ type: "counter", key: "42" }, [], 0, Infinity);
      await first.troupe.close();
      assert.ok(input);
      const client = await stage.client();
      await client.erase(counter, "42");
      // A replica that had read it before it went hands it over now.
      const tamper = (inner: Log): Partial<Log> => ({
        read: (request) => {
          const reader = inner.read(request);
          if (request.source !== "unroutable" && request.after < input.position) {
            const partition = partitionOfInput(inner, input.address.key);
            if (request.source === partition) queueMicrotask(() => request.onInput(input));
          }
          return reader;
        },
        // From the beginning, as a floor that is gone makes a worker read.
        floors: async () => [],
      });
      const { heard, troupe } = await stage.host(counter, { tamper });
      await heard.has("turn.duplicate");
      assert.equal(runs, 1);
      await troupe.agent(counter, "42").count({});
      assert.equal(runs, 2);
    },
  },
  {
    name: "ERASE-1, I4: what an agent handles or begins while its tombstone is on its way has no second effect",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const paid: string[] = [];
      const payer = agent("payer")
        .on("pay", anything<string>(), (ctx, what) => {
          return ctx.step("pay", what, async () => void paid.push(what));
        })
        .on("payAndWait", anything<string>(), async (ctx, what) => {
          await ctx.step("pay", what, async () => void paid.push(what));
          // Stores the step before the turn ends.
          await ctx.step("wait", what, () => gate.promise);
        });
      const { heard, troupe } = await stage.host(payer);
      await troupe.agent(payer, "42").pay("before");
      const log = await stage.log();
      const meanwhile = async (): Promise<void> => {
        await troupe.agent(payer, "42").pay("handled");
        const { revision } = (await log.journal({ type: "payer", key: "42" }, 0)).at(-1) ?? {};
        await troupe.send(payer, "42").payAndWait("begun");
        await stage.until("its step is stored", async () => {
          return (await log.journal({ type: "payer", key: "42" }, revision ?? 0)).length > 0;
        });
      };
      let looked = false;
      const client = await stage.client({
        tamper: (inner) => ({
          end: async () => {
            const end = await inner.end();
            if (!looked) {
              looked = true;
              await meanwhile();
            }
            return end;
          },
        }),
      });
      await client.erase(payer, "42");
      gate.resolve();
      await heard.has("turn.duplicate");
      await troupe.agent(payer, "42").pay("after");
      assert.deepEqual(paid, ["before", "handled", "begun", "after"]);
    },
  },
  {
    name: "ERASE-4: publications that another agent has not handled stay, and are told",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([shopper, shelf]);
      const late = await stage.host(auditor);
      await late.troupe.close();
      await troupe.publish(orders, "42", secret);
      await stage.until("it is handled", async () => {
        return (await troupe.agent(shopper, "42").look({})).length === 1;
      });
      const { kept } = await troupe.erase(shopper, "42");
      assert.deepEqual(
        kept.map(({ count, neededBy, topic: on }) => ({ count, neededBy, on })),
        [{ count: 1, neededBy: ["auditor/42"], on: "orders" }],
      );
    },
  },
  {
    name: "A2, A4: a server that is behind hides no topic of the agent, and nobody who needs one",
    async run(harness) {
      await using stage = new Stage(harness);
      const { troupe } = await stage.host([shopper, shelf]);
      const late = await stage.host(auditor);
      await late.troupe.close();
      await troupe.publish(orders, "42", secret);
      await stage.until("it is handled", async () => {
        return (await troupe.agent(shopper, "42").look({})).length === 1;
      });
      // It has not heard of any subscription.
      const client = await stage.client({
        tamper: (log) => ({
          manifest: async (type, options) => {
            const manifest = await log.manifest(type, options);
            if (manifest === undefined || options?.firm === true) return manifest;
            return { ...manifest, topics: [] };
          },
          manifests: async (options) => (options?.firm === true ? log.manifests(options) : []),
        }),
      });
      const { kept } = await client.erase(shopper, "42");
      assert.deepEqual(
        kept.map(({ neededBy, topic: on }) => [on, neededBy]),
        [["orders", ["auditor/42"]]],
      );
      await stage.host(auditor, { floorIntervalMs: 5 });
      await stage.until("nobody needs it any more", async () => {
        const { parts } = await client.erase(shopper, "42");
        return parts.find(({ part }) => part === "publications on orders")?.count === 1;
      });
    },
  },
  {
    name: "an ask that was waiting when its agent was erased hears of it",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host([shopper, shelf]);
      await first.troupe.agent(shopper, "1").look({});
      await first.troupe.close();
      const client = await stage.client();
      const asked = client.agent(shopper, "42").buy(secret);
      const log = await stage.log();
      await stage.until("it is accepted", async () => {
        return (await log.inputsOf(erased, [], 0, Infinity)).length > 0;
      });
      await client.erase(shopper, "42");
      await rejectsWith(asked, "agent-erased");
    },
  },
  {
    name: "I5: a turn that runs while its agent is erased stores nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      const slow = agent("slow")
        .state<readonly string[]>([])
        .event("done", anything<string>(), (all, what) => [...all, what])
        .on("work", anything<string>(), async (ctx, what) => {
          started.resolve();
          await gate.promise;
          ctx.emit.done(what);
        })
        .on("look", anything<object>(), (ctx) => ctx.state);
      const { troupe } = await stage.host(slow);
      await troupe.send(slow, "42").work(secret);
      await started.promise;
      await troupe.erase(slow, "42");
      gate.resolve();
      assert.deepEqual(await troupe.agent(slow, "42").look({}), []);
      assert.deepEqual(await holding(await stage.log(), secret), []);
    },
  },
];

async function projectOnce(troupe: Troupe, sink: MemorySink): Promise<void> {
  const running = await troupe.project(bought, sink);
  await running.caughtUp();
  await running.stop();
}

function partitionOfInput(log: Log, key: string): number {
  return partitionOfToken(keyToToken(key), log.partitions);
}

async function counts(log: Log): Promise<number> {
  return (await everything(log)).length;
}

/** Stored entries of these agents that hold these letters. */
async function holding(
  log: Log,
  letters: string,
  ofAgent: (agent: { readonly type: string; readonly key: string }) => boolean = () => true,
): Promise<readonly string[]> {
  const found: string[] = [];
  const look = (where: string, bytes: Uint8Array): void => {
    if (Buffer.from(bytes).includes(letters)) found.push(where);
  };
  for (const entry of await everything(log)) {
    if (entry.kind === "input") {
      const { kind, name, key } = entry.input.address;
      if (ofAgent({ type: name, key })) look(`input ${kind}/${name}/${key}`, entry.input.payload);
    } else if (entry.kind === "turn") {
      const { type, key } = entry.agent;
      if (ofAgent(entry.agent)) look(`record of ${type}/${key}`, entry.entry.record);
    } else if (entry.deadLetter.agent !== undefined && ofAgent(entry.deadLetter.agent)) {
      look("dead letter", entry.deadLetter.payload);
      look("dead letter", Buffer.from(JSON.stringify(entry.deadLetter.failure)));
    }
  }
  const snapshot = ofAgent(erased) ? await log.snapshot(erased) : undefined;
  if (snapshot !== undefined) look("snapshot", snapshot);
  return found;
}
