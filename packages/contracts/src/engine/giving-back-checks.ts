/** A stop accounts for every turn: finished, or given back, and never failed because of it. */
import assert from "node:assert/strict";

import type { Log } from "@troupe/core/log";
import type { LogCheck } from "../log-harness.ts";
import { ledger, lettersOf, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

const longTimeMs = 600_000;

export const givingBackChecks: readonly LogCheck[] = [
  {
    name: "a worker that stops gives back a turn that asks an agent which nobody else hosts",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const book = ledger(undefined, "book");
      const asker = ledger(async (context, { text }) => {
        await gate.promise;
        await context.ask(book, "bob", { timeoutMs: longTimeMs }).note({ text });
      });
      const host = await stage.host([asker, book]);
      await host.troupe.send(asker, "alice").note({ text: "hello" });
      await host.heard.has("turn.started");
      const stopping = host.worker.stop({ drainTimeoutMs: longTimeMs });
      gate.resolve();
      await stopping;
      const [given] = host.heard.of("turn.given-back");
      assert.deepEqual(given?.agent, { type: "ledger", key: "alice" });
      assert.equal(host.heard.of("worker.stopped")[0]?.givenBack, 1);
      const log = await stage.log();
      assert.deepEqual(await recordsOf(log, "alice"), []);
      assert.deepEqual(await lettersOf(log), []);
      const next = await stage.host([asker, book]);
      await next.heard.has("turn.committed", 2);
      assert.deepEqual(await attemptsOf(log, "alice"), [1]);
      assert.deepEqual(await notesOf(log, "bob", "book"), ["hello"]);
    },
  },
  {
    name: "a turn is not given back while an effect of it is under way, so it happens once",
    async run(harness) {
      await using stage = new Stage(harness);
      const paying = Promise.withResolvers<void>();
      let payments = 0;
      const book = ledger(undefined, "book");
      const asker = ledger(async (context, { text }) => {
        const pay = async (): Promise<number> => {
          payments += 1;
          await paying.promise;
          return payments;
        };
        const asked = context.ask(book, "bob", { timeoutMs: longTimeMs }).note({ text });
        await Promise.all([context.step("pay", pay), asked]);
      });
      const gate = Promise.withResolvers<void>();
      // Its only host is busy with another message until it stops, too.
      const busy = ledger(() => gate.promise, "book");
      const host = await stage.host([asker, busy]);
      await host.troupe.send(busy, "bob").note({ text: "first" });
      await host.troupe.send(asker, "alice").note({ text: "hello" });
      await host.heard.has("turn.started", 2);
      const stopping = host.worker.stop({ drainTimeoutMs: longTimeMs });
      gate.resolve();
      await host.heard.has("turn.committed");
      await looks(await stage.log());
      assert.deepEqual(host.heard.of("turn.given-back"), []);
      paying.resolve();
      await stopping;
      assert.equal(host.heard.of("turn.given-back").length, 1);
      const next = await stage.host([asker, book]);
      await next.heard.has("turn.committed", 2);
      assert.equal(payments, 1);
    },
  },
  {
    name: "an ask that ends while its worker stops does not use up its turn's runs",
    async run(harness) {
      await using stage = new Stage(harness);
      const gate = Promise.withResolvers<void>();
      const deaf = ledger(() => Promise.withResolvers<void>().promise, "book");
      const asker = ledger(async (context, { text }) => {
        await gate.promise;
        await context.ask(deaf, "bob", { timeoutMs: 20 }).note({ text });
      });
      await stage.host(deaf);
      const host = await stage.host(asker, { retry: { attemptsMax: 1 } });
      await host.troupe.send(asker, "alice").note({ text: "hello" });
      await host.heard.has("turn.started");
      const stopping = host.worker.stop();
      gate.resolve();
      await stopping;
      assert.equal(host.heard.of("turn.given-back").length, 1);
      assert.deepEqual(await recordsOf(await stage.log(), "alice"), []);
    },
  },
  {
    name: "a turn that is longer than the drain time is given back, and does not count",
    async run(harness) {
      await using stage = new Stage(harness);
      const endless = ledger(() => Promise.withResolvers<void>().promise);
      const host = await stage.host(endless, { retry: { attemptsMax: 1 } });
      await host.troupe.send(endless, "alice").note({ text: "hello" });
      await host.heard.has("turn.started");
      await host.worker.stop({ drainTimeoutMs: 0 });
      assert.equal(host.heard.of("turn.given-back")[0]?.reason.code, "turn-given-back");
      const next = await stage.host(ledger());
      await next.heard.has("turn.committed");
      assert.deepEqual(await attemptsOf(await stage.log(), "alice"), [1]);
    },
  },
];

async function attemptsOf(log: Log, key: string): Promise<readonly number[]> {
  return (await recordsOf(log, key)).map(({ attempts }) => attempts);
}

/** Long enough for a worker that stops to look a few times for turns that wait in vain. */
async function looks(log: Log): Promise<void> {
  await new Promise<void>((resolve) => {
    let beats = 0;
    const unlisten = log.onPresence(() => {
      beats += 1;
      if (beats < 10) return;
      unlisten();
      resolve();
    });
  });
}
