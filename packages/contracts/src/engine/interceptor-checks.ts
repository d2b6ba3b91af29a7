/** Interceptors: an onion around send, publish, receive and commit. */
import assert from "node:assert/strict";

import { agent, Reject, topic } from "@troupe/core";
import type { Interceptor, OutgoingCall } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { everything, rejectsWith } from "../observe.ts";
import { anything, ledger, noteSchema, notesOf, recordsOf } from "./ledger.ts";
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

export const interceptorChecks: readonly LogCheck[] = [
  {
    name: "a handler runs once in a turn, however often an interceptor calls next",
    async run(harness) {
      await using stage = new Stage(harness);
      const twice: Interceptor = {
        receive: async (call, next) => {
          await next(call);
          return next(call);
        },
      };
      await stage.host([last], { interceptors: [twice], retry: { attemptsMax: 1 } });
      const client = await stage.client();
      await rejectsWith(client.agent(last, "alice").note({ text: "once" }), "remote-turn-failed");
      assert.deepEqual(await notesOf(await stage.log(), "alice", "last"), []);
    },
  },
  {
    name: "interceptors wrap send, publish, receive and commit like an onion",
    async run(harness) {
      await using stage = new Stage(harness);
      const calls: string[] = [];
      const client = await stage.client({ interceptors: [layer("a", calls), layer("b", calls)] });
      const host = await stage.host([last, first], {
        interceptors: [layer("x", calls), layer("y", calls)],
      });
      await client.agent(first, "alice").note({ text: "hello" });
      await host.heard.has("turn.committed", 4);
      const onion = (names: string, what: string): string[] => [
        ...Array.from(names, (name) => `>${name} ${what}`),
        ...Array.from(names, (name) => `<${name} ${what}`).toReversed(),
      ];
      assert.deepEqual(calls.slice(0, 4), [
        ">a ask",
        ">b ask",
        ">x receive first",
        ">y receive first",
      ]);
      for (const [names, what] of [
        ["ab", "ask"],
        ["xy", "ask"],
        ["xy", "send"],
        ["xy", "publish"],
        ["xy", "receive first"],
        ["xy", "commit first"],
      ] as const) {
        const own = calls.filter(
          (call) => call.endsWith(` ${what}`) && names.includes(call[1] ?? ""),
        );
        assert.deepEqual(own, onion(names, what));
      }
      await client.publish(echoes, "again", { text: "hello" });
      await client.send(first, "bob").note({ text: "hello" });
      assert.deepEqual(
        calls.filter((call) => /^[<>][ab] (?:publish|send)/.test(call)),
        [...onion("ab", "publish"), ...onion("ab", "send")],
      );
    },
  },
  {
    name: "interceptors may change what passes, and refuse it",
    async run(harness) {
      await using stage = new Stage(harness);
      const shout: Interceptor = {
        receive: (call, next) => next({ ...call, payload: { text: "changed" } }),
        commit: (record, next) =>
          next({
            ...record,
            inputPosition: 0,
            events: record.events.map((event) => ({ ...event, data: { text: "masked" } })),
          }),
      };
      const refuse: Interceptor = {
        send: (call, next) => {
          if (call.address.key === "secret") throw new Error("not there");
          return next(call);
        },
      };
      const states: (readonly string[])[] = [];
      const book = ledger(({ state }) => void states.push(state.notes));
      const host = await stage.host(book, { interceptors: [shout, refuse] });
      const { troupe } = host;
      await assert.rejects(troupe.agent(book, "secret").note({ text: "x" }), /not there/);
      await troupe.agent(book, "alice").note({ text: "one" });
      await troupe.agent(book, "alice").note({ text: "two" });
      assert.deepEqual(states, [["changed"], ["masked", "changed"]]);
      const log = await stage.log();
      assert.deepEqual(await notesOf(log, "alice"), ["masked", "masked"]);
      const inputs = (await everything(log)).flatMap((entry) =>
        entry.kind === "input" ? [entry.input.position] : [],
      );
      const records = await recordsOf(log, "alice");
      assert.deepEqual(
        records.map(({ inputPosition }) => inputPosition),
        inputs,
      );
    },
  },
  {
    name: "I8: events that an interceptor replaces are in the state as they are stored",
    async run(harness) {
      await using stage = new Stage(harness);
      const live: unknown[] = [];
      const odd = agent("odd")
        .state<{ readonly seen: readonly unknown[] }>({ seen: [] })
        .event("happened", anything<unknown>(), ({ seen }, data) => ({ seen: [...seen, data] }), {
          version: 2,
          upcast: { 1: () => "from version 1" },
        })
        .on("happen", anything<null>(), (ctx) => {
          live.push(...ctx.state.seen);
          ctx.emit.happened("x");
        });
      const replace: Interceptor = {
        commit: (record, next) => {
          const data = { gone: undefined, map: new Map([["a", 1]]) };
          return next({ ...record, events: record.events.map(({ type }) => ({ type, data })) });
        },
      };
      const { troupe } = await stage.host(odd, { interceptors: [replace] });
      await troupe.agent(odd, "a").happen(null);
      await troupe.agent(odd, "a").happen(null);
      assert.deepEqual(live, [{ map: new Map([["a", 1]]) }]);
      for await (const { state } of troupe.replay(odd, "a")) {
        assert.deepEqual(state.seen[0], { map: new Map([["a", 1]]) });
      }
    },
  },
  {
    name: "I8: a failure that an interceptor cannot record leaves no event in the state",
    async run(harness) {
      await using stage = new Stage(harness);
      const texts: (readonly string[])[] = [];
      const book = ledger((context, { text }) => {
        if (text === "fail") throw new Reject("no");
        texts.push(context.state.notes);
      });
      const log = await stage.log();
      const text = "x".repeat(log.limits.payloadBytesMax);
      const blame: Interceptor = {
        commit: (record, next) =>
          next(
            record.failure === undefined
              ? record
              : { ...record, events: [{ type: "noted", data: { text } }] },
          ),
      };
      const { troupe } = await stage.host(book, { interceptors: [blame] });
      await rejectsWith(troupe.agent(book, "alice").note({ text: "fail" }), "rejected");
      await troupe.agent(book, "alice").note({ text: "good" });
      assert.deepEqual(texts, [["good"]]);
      assert.deepEqual(await notesOf(log, "alice"), ["good"]);
    },
  },
  {
    name: "inside a turn an interceptor of what is sent cannot be asynchronous, and is told so",
    async run(harness) {
      await using stage = new Stage(harness);
      const later = async (
        call: OutgoingCall,
        next: (call: OutgoingCall) => unknown,
      ): Promise<unknown> => {
        await Promise.resolve();
        return next(call);
      };
      const interceptors = [{ send: later, publish: later }];
      const host = await stage.host([first, last], { interceptors });
      const asked = host.troupe.agent(first, "alice").note({ text: "hello" });
      await rejectsWith(asked, "remote-turn-failed");
      await host.troupe.agent(last, "alice").note({ text: "good" });
      const [letter] = host.heard.of("dead-letter");
      assert.equal(letter?.failure.code, "definition");
    },
  },
];

function layer(name: string, calls: string[]): Interceptor {
  const around = <Value, Result>(
    what: string,
    value: Value,
    next: (value: Value) => Result,
  ): Result => {
    calls.push(`>${name} ${what}`);
    const result = next(value);
    if (result instanceof Promise) void result.then(() => calls.push(`<${name} ${what}`));
    else calls.push(`<${name} ${what}`);
    return result;
  };
  return {
    send: (call, next) => around(call.how, call, next),
    publish: (call, next) => around("publish", call, next),
    receive: (call, next) => around(`receive ${call.agent.type}`, call, next),
    commit: (record, next) =>
      around(`commit ${record.sent.length > 0 ? "first" : "last"}`, record, next),
  };
}
