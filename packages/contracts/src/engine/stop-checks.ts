/** Workers and clients that stop, and those that stop while they start (I2, I4). */
import assert from "node:assert/strict";
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import { type Clock, systemClock } from "@troupe/core/log";
import type { Log } from "@troupe/core/log";
import { partitionOf, range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { ledger, notesOf, recordsOf, sendTo } from "./ledger.ts";
import { type Host, Stage } from "./stage.ts";

const keys = range(24).map((i) => `key-${i}`);

export const stopChecks: readonly LogCheck[] = [
  {
    name: "a worker that stops finishes what it started and gives back the rest, each turn run once",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const runs: string[] = [];
      const book = ledger((context, { text }) => {
        runs.push(`${context.agent.key} ${text}`);
        return text === "0" ? gate.promise : undefined;
      });
      // So slow that a holder which falls silent would be taken for dead before it is through.
      const timings = { deadAfterMs: 150, handoverTimeoutMs: 10_000 };
      const first = await stage.host(book, { id: "first", timings });
      const client = await stage.client();
      await sendTo(client, book, keys, 4);
      await first.heard.has("turn.started", keys.length);
      const stopping = first.worker.stop();
      const second = await stage.host(book, { id: "second", timings });
      // Long enough to be taken for dead, had it stopped to announce itself.
      await second.heard.has("worker.joined");
      await beats(second, 6);
      assert.equal(runs.length, keys.length);
      gate.resolve();
      await stopping;
      await second.heard.has("turn.committed", 3 * keys.length);
      const log = await stage.log();
      for (const key of keys) {
        assert.deepEqual(await notesOf(log, key), ["0", "1", "2", "3"]);
        const workers = (await recordsOf(log, key)).map(({ worker }) => worker);
        assert.deepEqual(workers, ["first", "second", "second", "second"]);
      }
      assert.equal(runs.length, 4 * keys.length);
    },
  },
  {
    name: "a worker that stops hands over what is free while one slow turn still runs",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const book = ledger((_, { text }) => (text === "slow" ? gate.promise : undefined));
      const first = await stage.host(book);
      await first.troupe.send(book, "slow").note({ text: "slow" });
      await first.heard.has("turn.started");
      const stopping = first.worker.stop();
      const second = await stage.host(book);
      const [free = ""] = keysOfOtherPartitions(await stage.log(), "slow");
      assert.equal(await second.troupe.agent(book, free).note({ text: "quick" }), 1);
      gate.resolve();
      await stopping;
      assert.equal(await second.troupe.agent(book, "slow").note({ text: "next" }), 2);
    },
  },
  {
    name: "a worker that stops gives back a message that keeps failing",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const broken = ledger(async (context) => {
        if (context.message.attempt > 1) await gate.promise;
        throw new Error("not on this worker");
      });
      const retry = { attemptsMax: 1000, delayMs: 60_000, delayMsMax: 60_000 };
      const waits = await stage.host(broken, { retry });
      const client = await stage.client();
      await client.send(broken, "alice").note({ text: "1" });
      await waits.heard.has("turn.retrying");
      await waits.worker.stop();
      const runs = await stage.host(broken);
      await runs.heard.has("turn.started", 2);
      const stopping = runs.worker.stop();
      gate.resolve();
      await stopping;
      const log = await stage.log();
      assert.deepEqual(await recordsOf(log, "alice"), []);
      const second = await stage.host(ledger());
      await second.heard.has("turn.committed");
      assert.deepEqual(await notesOf(log, "alice"), ["1"]);
    },
  },
  {
    name: "a client that closes finishes a turn that still has to ask another agent",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const book = ledger(undefined, "book");
      const asker = ledger(async (context, { text }) => {
        await gate.promise;
        await context.ask(book, "bob").note({ text });
      });
      const other = await stage.host(book);
      const host = await stage.host(asker);
      await other.troupe.send(asker, "alice").note({ text: "hello" });
      await host.heard.has("turn.started");
      const closing = host.troupe.close();
      gate.resolve();
      await closing;
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["hello"]);
      assert.deepEqual(await notesOf(log, "bob", "book"), ["hello"]);
    },
  },
  {
    name: "closing while a worker starts leaves nothing running",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const client = await stage.client();
      const heard = stage.listen(client);
      const floors = Promise.withResolvers<void>();
      const waiting = await stage.client({
        tamper: (log) => ({
          floors: async () => {
            floors.resolve();
            await nextTurnOfTheLoop();
            return log.floors();
          },
        }),
      });
      const starting = [client, waiting].map((troupe) =>
        troupe.work(book, { timings: { joinDelayMs: 1 } }),
      );
      const outcomes = Promise.allSettled(starting);
      await floors.promise;
      await Promise.all([client.close(), waiting.close()]);
      for (const outcome of await outcomes) {
        if (outcome.status === "fulfilled") assert.deepEqual(outcome.value.holdings, []);
      }
      const host = await stage.host(book);
      assert.equal(await host.troupe.agent(book, "alice").note({ text: "hello" }), 1);
      assert.deepEqual(heard.of("turn.started"), []);
    },
  },
  {
    name: "closing leaves no timer behind, whatever was waiting for one",
    async run(harness) {
      await using stage = new Stage(harness);
      const clock = countingClock();
      const book = ledger((_, { text }) => {
        if (text === "fail") throw new Error("never");
      });
      const slow = { attemptsMax: 1000, delayMs: 60_000, delayMsMax: 60_000 };
      const host = await stage.host(book, {
        clock,
        retry: slow,
        tamper: (log) => ({
          bury: () => Promise.reject(new Error("no graves today")),
          journal: (agent, after, options) =>
            agent.key === "lost"
              ? Promise.reject(new Error("no such page"))
              : log.journal(agent, after, options),
        }),
      });
      const { heard, troupe } = host;
      await troupe.send(book, "lost").note({ text: "hello" });
      const asked = troupe.agent(book, "alice").note({ text: "fail" });
      asked.catch(() => undefined);
      await harness.publishUnroutable();
      await heard.has("turn.retrying");
      await heard.has("fault", 2);
      assert.ok(clock.open() > 3);
      await troupe.close();
      assert.equal(clock.open(), 0);
      await rejectsWith(asked, "stopped");
    },
  },
  {
    name: "a worker that cannot start says so, and the client can start another one",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      let fails = true;
      const client = await stage.client({
        tamper: (log) => ({
          register: (manifest) =>
            fails ? Promise.reject(new Error("no place for it")) : log.register(manifest),
        }),
      });
      await assert.rejects(client.work(book, { id: "worker" }), /no place for it/);
      fails = false;
      await client.work(book, { id: "worker", timings: { joinDelayMs: 1 } });
      assert.equal(await client.agent(book, "alice").note({ text: "hello" }), 1);
    },
  },
];

/** The system's clock, and the number of its timers that are still to come. */
function countingClock(): Clock & { readonly open: () => number } {
  const timers = new Set<object>();
  return {
    now: () => systemClock.now(),
    monotonicMs: () => systemClock.monotonicMs(),
    open: () => timers.size,
    after: (delayMs, action) => {
      const timer = {};
      timers.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        timers.delete(timer);
        action();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
}

/** Resolves after so many heartbeats of the quick timings. */
async function beats(host: Host, count: number): Promise<void> {
  const log = host.troupe.log;
  const heard = Promise.withResolvers<void>();
  let left = count;
  const end = log.onPresence(({ worker }) => {
    if (worker === host.worker.id && --left === 0) heard.resolve();
  });
  await heard.promise;
  end();
}

function keysOfOtherPartitions(log: Log, key: string): string[] {
  const taken = partitionOf(log, key);
  return keys.filter((each) => partitionOf(log, each) !== taken);
}
