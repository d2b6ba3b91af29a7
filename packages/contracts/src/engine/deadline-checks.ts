/**
 * Asks that nobody waits for any more: the deadline and the word that the asker gave up go from
 * process to process, and a turn that is given up commits nothing but that (I3).
 */
import assert from "node:assert/strict";

import { agent, topic } from "@troupe/core";
import { encodePayload } from "@troupe/core/log";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, ledger, lettersOf, notesOf, recordsOf } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import { Stage } from "./stage.ts";

const soonMs = 150;
/** Long enough to begin two hops away, however busy the machine is. */
const twoHopsMs = 3000;
/** Long enough that only the other thing can have ended it. */
const longMs = 60_000;

/** Emits, waits for the bell or for being given up, and tells which it was. */
function waiter(): { readonly book: Ledger; readonly ends: string[]; readonly ring: () => void } {
  const bell = Promise.withResolvers<void>();
  const ends: string[] = [];
  const book = ledger(async ({ signal }) => {
    await new Promise<void>((resolve) => {
      void bell.promise.then(() => {
        if (!signal.aborted) ends.push("rung");
        resolve();
      });
      signal.addEventListener("abort", () => {
        ends.push((signal.reason as { readonly code: string }).code);
        resolve();
      });
    });
  });
  return { book, ends, ring: bell.resolve };
}

/** Asks the next one for its note. */
function relay(type: string, next: Ledger): Ledger {
  return ledger(async (context, note) => {
    await context.ask(next, "bob", { timeoutMs: longMs }).note(note);
  }, type);
}

export const deadlineChecks: readonly LogCheck[] = [
  {
    name: "I3: a turn whose deadline passes while it runs is told, and keeps nothing",
    async run(harness) {
      await using stage = new Stage(harness);
      const { book, ends, ring } = waiter();
      const host = await stage.host(book);
      const late = host.troupe.agent(book, "alice", { timeoutMs: soonMs }).note({ text: "late" });
      await rejectsWith(late, "ask-deadline");
      await host.heard.has("turn.committed");
      assert.deepEqual(ends, ["deadline-passed"]);
      ring();
      assert.equal(await host.troupe.agent(book, "alice").note({ text: "next" }), 1);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["next"]);
      assert.deepEqual(await lettersOf(log), ["deadline-passed"]);
      const [given] = await recordsOf(log, "alice");
      assert.equal(given?.attempts, 1);
      assert.equal(given?.failure?.details?.["kept"], false);
    },
  },
  {
    name: "I3: a handler that does not look at the clock keeps nothing after its deadline either",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger(() => {
        const end = performance.now() + soonMs;
        while (performance.now() < end);
      });
      const host = await stage.host(book);
      const late = host.troupe.agent(book, "alice", { timeoutMs: soonMs / 2 });
      await rejectsWith(late.note({ text: "late" }), "ask-deadline");
      await host.heard.has("turn.committed");
      assert.deepEqual(await notesOf(await stage.log(), "alice"), []);
    },
  },
  {
    name: "an ask that expired before its turn does not run; asked again, that is the answer",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const book = ledger(() => {
        runs += 1;
      });
      const first = await stage.host(book);
      await first.worker.stop();
      const client = await stage.client();
      const ask = (timeoutMs: number): Promise<number> =>
        client.agent(book, "alice", { timeoutMs }).note({ text: "late" }, { id: "the-one" });
      await rejectsWith(ask(soonMs), "ask-deadline");
      await stage.host(book);
      const again: unknown = await ask(longMs).catch((thrown: unknown) => thrown);
      assert.equal((again as { readonly code: string }).code, "ask-deadline");
      assert.equal((again as { details: Record<string, unknown> }).details["kept"], false);
      assert.equal(runs, 0);
    },
  },
  {
    name: "a message without a deadline has none, however long it waits",
    async run(harness) {
      await using stage = new Stage(harness);
      const { book, ends, ring } = waiter();
      const host = await stage.host(book);
      await host.troupe.send(book, "alice").note({ text: "hello" });
      await host.heard.has("turn.started");
      ring();
      await host.heard.has("turn.committed");
      assert.deepEqual(ends, ["rung"]);
      assert.deepEqual(await notesOf(await stage.log(), "alice"), ["hello"]);
    },
  },
  {
    name: "I3: the deadline of an ask reaches through two hops, process to process",
    async run(harness) {
      await using stage = new Stage(harness);
      const { book: last, ends } = waiter();
      const middle = relay("middle", last);
      const first = relay("first", middle);
      const hosts = await Promise.all([first, middle, last].map((each) => stage.host(each)));
      const client = await stage.client();
      const asked = client.agent(first, "bob", { timeoutMs: twoHopsMs }).note({ text: "late" });
      await rejectsWith(asked, "ask-deadline");
      await Promise.all(hosts.map(({ heard }) => heard.has("turn.committed")));
      assert.deepEqual(ends, ["deadline-passed"]);
      const log = await stage.log();
      for (const { type } of [first, middle, last]) {
        assert.deepEqual(await notesOf(log, "bob", type), [], type);
        const [record] = await recordsOf(log, "bob", type);
        assert.equal(record?.failure?.code, "deadline-passed", type);
      }
    },
  },
  {
    name: "I3: an ask ends when its signal fires, and so do the asks it caused, process to process",
    async run(harness) {
      await using stage = new Stage(harness);
      const { book: last, ends } = waiter();
      const first = relay("first", last);
      const hosts = await Promise.all([first, last].map((each) => stage.host(each)));
      const client = await stage.client();
      const controller = new AbortController();
      const { signal } = controller;
      const asked = client.agent(first, "bob", { signal, timeoutMs: longMs });
      const cancelled = rejectsWith(asked.note({ text: "no more" }), "ask-cancelled");
      await hosts[1]?.heard.has("turn.started");
      controller.abort(new Error("the user went away"));
      await cancelled;
      await Promise.all(hosts.map(({ heard }) => heard.has("turn.committed")));
      assert.deepEqual(ends, ["ask-cancelled"]);
      const log = await stage.log();
      for (const { type } of [first, last]) assert.deepEqual(await notesOf(log, "bob", type), []);
      assert.deepEqual(await lettersOf(log), ["ask-cancelled", "ask-cancelled"]);
    },
  },
  {
    name: "I3: a cancellation reaches every turn that its asker waits for",
    async run(harness) {
      await using stage = new Stage(harness);
      const inquiries = topic("inquiries", anything<null>());
      const othersRun = Promise.withResolvers<void>();
      const cancelled: string[] = [];
      let running = 0;
      const types = ["done", "first", "second"].map((type) =>
        agent(type).subscribe(inquiries, async ({ signal }): Promise<void> => {
          // Its end must not end the listening of the others.
          if (type === "done") return othersRun.promise;
          if (++running === 2) othersRun.resolve();
          await new Promise<void>((resolve) => {
            signal.addEventListener("abort", () => resolve(), { once: true });
          });
          cancelled.push(type);
        }),
      );
      const { heard } = await stage.host(types);
      const log = await stage.log();
      const replyTo = log.replyAddress();
      await log.accept({
        address: { kind: "topic", name: inquiries.name, key: "alice" },
        metadata: { replyTo, contentType: "application/msgpack" },
        payload: encodePayload(null),
      });
      await heard.has("turn.started", 3);
      await heard.has("turn.committed");
      log.cancelAsk(replyTo);
      await heard.has("turn.committed", 3);
      assert.deepEqual(cancelled.toSorted(), ["first", "second"]);
      assert.deepEqual(await lettersOf(log), ["ask-cancelled", "ask-cancelled"]);
    },
  },
  {
    name: "an ask that was cancelled before its turn began does not run",
    async run(harness) {
      await using stage = new Stage(harness);
      const { book, ends, ring } = waiter();
      const host = await stage.host(book);
      const early = AbortSignal.abort(new Error("too late"));
      const never = host.troupe.agent(book, "alice", { signal: early }).note({ text: "never" });
      await rejectsWith(never, "ask-cancelled");
      const ahead = host.troupe.agent(book, "alice").note({ text: "ahead" });
      await host.heard.has("turn.started");
      const controller = new AbortController();
      const { signal } = controller;
      const accepted = host.heard.has("message.sent", 2);
      const queued = host.troupe.agent(book, "alice", { signal }).note({ text: "queued" });
      await accepted;
      controller.abort();
      await rejectsWith(queued, "ask-cancelled");
      // A process that hears this has heard of the cancellation before.
      await host.troupe.log.flush();
      ring();
      assert.equal(await ahead, 1);
      await host.heard.has("turn.committed", 2);
      assert.deepEqual(ends, ["rung"]);
      assert.deepEqual(await notesOf(await stage.log(), "alice"), ["ahead"]);
    },
  },
  {
    name: "a handler that throws because its deadline passed is not tried again, nor parks its agent",
    async run(harness) {
      await using stage = new Stage(harness);
      const strict = agent("strict").on(
        "wait",
        anything<null>(),
        ({ signal }) =>
          new Promise<never>((_, reject) => {
            signal.addEventListener("abort", () => reject(new Error("interrupted")));
          }),
        { retry: { exhausted: "park" } },
      );
      const host = await stage.host(strict);
      const late = host.troupe.agent(strict, "alice", { timeoutMs: soonMs }).wait(null);
      await rejectsWith(late, "ask-deadline");
      await host.heard.has("turn.committed");
      assert.equal(host.heard.of("turn.retrying").length, 0);
      assert.deepEqual(await lettersOf(await stage.log()), ["deadline-passed"]);
    },
  },
];
