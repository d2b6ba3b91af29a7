/** Activation, trace context, and the events of the inspection feed (I7). */
import assert from "node:assert/strict";

import type { InspectionEvent } from "@troupe/core";
import { topic } from "@troupe/core";
import { parseTraceparent } from "@troupe/core/engine";
import { range } from "../drafts.ts";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { ledger, noteSchema, notesOf, recordsOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

const echoes = topic("echoes", noteSchema);

/** Asks, sends and publishes on, once. */
const first = ledger(async (context, { text }) => {
  context.send(last, "sent").note({ text });
  context.publish(echoes, "published", { text });
  await context.ask(last, "asked").note({ text });
}, "first");
const last = ledger(undefined, "last").subscribe(echoes, (context, note) =>
  context.emit.noted(note),
);

export const lifeChecks: readonly LogCheck[] = [
  {
    name: "I7: 500 agents in room for a few: never more in memory, and each is right when it comes back",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      // The least room in which every partition has a window.
      const activationsMax = 2 * (await stage.log()).partitions;
      const host = await stage.host(book, { activationsMax, callDepthMax: 1 });
      const keys = range(500).map((i) => `key-${i}`);
      for (const round of range(3)) {
        const asked = keys.map((key) => host.troupe.agent(book, key).note({ text: `${round}` }));
        assert.deepEqual(new Set(await Promise.all(asked)), new Set([round + 1]));
      }
      const { largest, left } = activationsOf(host.heard.events);
      // Rest is no reason to leave; it is when another one comes that the longest idle one does.
      assert.deepEqual([largest, left], [activationsMax, activationsMax]);
      const activated = host.heard.of("agent.activated").length;
      assert.ok(activated > 700, `${activated} activations`);
      assert.deepEqual(await notesOf(await stage.log(), "key-250"), ["0", "1", "2"]);
    },
  },
  {
    name: "I2, I7: making room never gives one agent two mailboxes, though all others are busy",
    async run(harness) {
      await using stage = new Stage(harness);
      const gates = new Map(range(6).map((i) => [`key-${i}`, Promise.withResolvers<void>()]));
      const running = new Map<string, number>();
      const runningMax = new Map<string, number>();
      const book = ledger(async (context) => {
        const { key } = context.agent;
        const now = (running.get(key) ?? 0) + 1;
        running.set(key, now);
        runningMax.set(key, Math.max(runningMax.get(key) ?? 0, now));
        await gates.get(key)?.promise;
        running.set(key, now - 1);
      });
      const host = await stage.host(book, { activationsMax: 1 });
      for (const _ of range(3)) {
        for (const key of gates.keys()) await host.troupe.send(book, key).note({ text: "hello" });
      }
      await host.heard.has("turn.started", gates.size);
      for (const gate of gates.values()) gate.resolve();
      await host.heard.has("turn.committed", 3 * gates.size);
      assert.deepEqual(new Set(runningMax.values()), new Set([1]));
      assert.equal(host.heard.of("commit.failed").length, 0);
    },
  },
  {
    name: "an agent costs nothing before its first message, and loads its journal once",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const host = await stage.host(book);
      assert.equal(host.heard.of("agent.activated").length, 0);
      for (const i of range(5)) await host.troupe.agent(book, "alice").note({ text: `${i}` });
      const activated = host.heard.of("agent.activated");
      assert.deepEqual(
        activated.map(({ agent, turns }) => `${agent.key} ${turns}`),
        ["alice 0"],
      );
    },
  },
  {
    name: "trace context flows from the client through turns to everything they send",
    async run(harness) {
      await using stage = new Stage(harness);
      const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
      const host = await stage.host([first, last]);
      const client = await stage.client({ traceparent: () => `00-${trace}-00f067aa0ba902b7-01` });
      await client.agent(first, "alice").note({ text: "hello" });
      await host.heard.has("turn.committed", 4);
      const log = await stage.log();
      const inputs = (await everything(log)).flatMap((entry) =>
        entry.kind === "input" ? [entry.input] : [],
      );
      const [root] = await recordsOf(log, "alice", "first");
      const spans = new Set<string>();
      for (const input of inputs) {
        const sent = parseTraceparent(input.metadata.traceparent);
        assert.equal(sent?.traceId, trace);
        const caused = input.metadata.causationId !== undefined;
        if (caused) assert.equal(input.metadata.traceparent, root?.traceparent);
        if (caused) assert.equal(input.metadata.correlationId, root?.messageId);
      }
      for (const { record } of host.heard.of("turn.committed")) {
        const span = parseTraceparent(record.traceparent);
        assert.equal(span?.traceId, trace);
        spans.add(span?.spanId ?? "");
      }
      assert.equal(spans.size, 4);
      assert.equal(inputs.length, 4);
    },
  },
  {
    name: "a message without a usable trace starts one",
    async run(harness) {
      await using stage = new Stage(harness);
      const book = ledger();
      const host = await stage.host(book);
      const client = await stage.client({ traceparent: () => "nonsense" });
      await client.agent(book, "alice").note({ text: "hello" });
      const payload = new TextEncoder().encode('{"note":{"text":"bare"}}');
      await harness.publishForeign("agent", "ledger", "alice", payload);
      await host.heard.has("turn.committed", 2);
      const traces = (await recordsOf(await stage.log(), "alice")).map(
        ({ traceparent }) => parseTraceparent(traceparent)?.traceId,
      );
      assert.equal(new Set(traces).size, 2);
      assert.ok(traces.every((trace) => trace !== undefined));
    },
  },
  {
    name: "the inspection feed tells the life of a worker and of a turn, and no listener can break it",
    async run(harness) {
      await using stage = new Stage(harness);
      const log = await stage.log();
      const book = ledger((context, { text }) => {
        context.log.info("noting", { text });
        if (text === "bad") throw new Error("never");
      });
      const client = await stage.client();
      const heard = stage.listen(client);
      client.inspect(() => {
        throw new Error("a bad listener");
      });
      const worker = await client.work(book, {
        timings: { joinDelayMs: 1 },
        retry: { attemptsMax: 2, delayMs: 1 },
      });
      await client.agent(book, "alice").note({ text: "good" });
      await rejectsWith(client.agent(book, "alice").note({ text: "bad" }), "remote-turn-failed");
      await worker.stop();
      const kinds = new Set(heard.events.map(({ kind }) => kind));
      const expected: readonly InspectionEvent["kind"][] = [
        "worker.started",
        "partition.taken",
        "message.sent",
        "agent.activated",
        "turn.started",
        "agent.log",
        "commit.stored",
        "turn.committed",
        "reply.sent",
        "turn.retrying",
        "dead-letter",
        "worker.stopping",
        "partition.released",
        "worker.stopped",
      ];
      for (const kind of expected) assert.ok(kinds.has(kind), `no event ${kind}`);
      const taken = heard.of("partition.taken").filter(({ type }) => type === "ledger");
      assert.equal(taken.length, log.partitions);
      const order = heard.events
        .filter((event) => "inputPosition" in event || event.kind === "turn.committed")
        .map(({ kind }) => kind);
      assert.deepEqual(order.slice(0, 4), [
        "turn.started",
        "agent.log",
        "turn.committed",
        "reply.sent",
      ]);
    },
  },
];

/** Number of agents that were in memory. */
function activationsOf(events: readonly InspectionEvent[]): { largest: number; left: number } {
  let largest = 0;
  let left = 0;
  for (const { kind } of events) {
    if (kind === "agent.activated") left += 1;
    if (kind === "agent.passivated") left -= 1;
    largest = Math.max(largest, left);
  }
  return { largest, left };
}
