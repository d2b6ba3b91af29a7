/** A storable value is one thing, from who gives it to who replays it (I12). */
import assert from "node:assert/strict";

import { agent, pipeline, topic } from "@troupe/core";
import type { NotStorableError } from "@troupe/core/errors";
import type { Interceptor } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, lettersOf } from "./ledger.ts";
import { Stage } from "./stage.ts";

/** Values that other formats change. */
function values(): readonly unknown[] {
  return [
    undefined,
    null,
    -0,
    Number.NaN,
    -Infinity,
    2 ** 60,
    "\ufeff\u{1f984}",
    [1, undefined, -0],
    new Map<unknown, unknown>([
      ["a", { at: new Date(-5) }],
      [7, undefined],
    ]),
    new Set([new Date(8.64e15), undefined]),
    { bytes: Uint8Array.of(0, 255), nested: [{ constructor: 1, toString: null }] },
  ];
}

interface Kept {
  readonly all: readonly unknown[];
}

const posted = topic("posted", anything<unknown>());

const keeper = agent("mirror")
  .state<Kept>({ all: [] })
  .event("kept", anything<unknown>(), ({ all }, value) => ({ all: [...all, value] }))
  .on("keep", anything<unknown>(), (ctx, value) => {
    ctx.emit.kept(value);
    return value;
  })
  .on("look", anything<unknown>(), (ctx) => ctx.state.all)
  .subscribe(posted, (ctx, value) => ctx.emit.kept(value));

const mirror = keeper.on("pass", anything<unknown>(), async (ctx, value) => {
  const stepped = await ctx.step("make", async () => value);
  return ctx.ask(keeper, "passed").keep(stepped);
});

export const storableChecks: readonly LogCheck[] = [
  {
    name: "I12: what is given is what the handler, the step, the reply, the state and a replay have",
    async run(harness) {
      await using stage = new Stage(harness);
      const first = await stage.host(mirror, { snapshotTurns: 3 });
      for (const value of values()) {
        assert.deepEqual(await first.troupe.agent(mirror, "a").keep(value), value);
        assert.deepEqual(await first.troupe.agent(mirror, "b").pass(value), value);
        await first.troupe.publish(posted, "a", value);
      }
      const twice = values().flatMap((value) => [value, value]);
      assert.deepEqual(await first.troupe.agent(mirror, "a").look(undefined), twice);
      await first.worker.stop();
      const { troupe } = await stage.host(mirror);
      assert.deepEqual(await troupe.agent(mirror, "a").look(undefined), twice);
      assert.deepEqual(await troupe.agent(mirror, "passed").look(undefined), values());
      let replayed: unknown;
      for await (const { state } of troupe.replay(mirror, "a")) replayed = state.all;
      assert.deepEqual(replayed, twice);
      assert.deepEqual(await lettersOf(await stage.log()), []);
    },
  },
  {
    name: "I12: what is not storable is refused where it is given, with its path, and nothing is sent",
    async run(harness) {
      await using stage = new Stage(harness);
      const odd = { items: [1, { price: 2n }] };
      const codes: unknown[] = [];
      const sender = agent("sender").on("send", anything<unknown>(), async (ctx) => {
        const acts: readonly (() => unknown)[] = [
          () => ctx.send(mirror, "a").keep(odd),
          () => ctx.publish(posted, "a", odd),
          () => ctx.after(1, { agent: mirror, key: "a" }).keep(odd),
          () => ctx.ask(mirror, "a").keep(odd),
        ];
        for (const act of acts) {
          try {
            await act();
          } catch (thrown) {
            const { code, details } = thrown as NotStorableError;
            codes.push(code, details["path"]);
          }
        }
      });
      const { troupe } = await stage.host([mirror, sender]);
      await rejectsWith(troupe.send(mirror, "a").keep(odd), "not-storable");
      await rejectsWith(troupe.agent(mirror, "a").keep(odd), "not-storable");
      await rejectsWith(troupe.publish(posted, "a", odd), "not-storable");
      await troupe.agent(sender, "x").send(null);
      const each = ["not-storable", "items[1].price"];
      assert.deepEqual(codes, [...each, ...each, ...each, ...each]);
      assert.deepEqual(await troupe.agent(mirror, "a").look(null), []);
    },
  },
  {
    name: "I12: what is changed after it was given is not changed in what was given",
    async run(harness) {
      await using stage = new Stage(harness);
      const shared = { list: [1] };
      const loose = agent("loose")
        .state<Kept>({ all: [] })
        .event("kept", anything<unknown>(), ({ all }, value) => ({ all: [...all, value] }))
        .on("keep", anything<unknown>(), (ctx) => {
          const value = { list: [1] };
          ctx.emit.kept(value);
          ctx.send(mirror, "sent").keep(value);
          value.list.push(2);
          shared.list.push(2);
          return shared;
        });
      const { troupe } = await stage.host([mirror, loose]);
      const first = troupe.agent(loose, "a").keep(null);
      const second = troupe.agent(loose, "a").keep(null);
      assert.deepEqual(await first, { list: [1, 2] });
      assert.deepEqual(await second, { list: [1, 2, 2] });
      const given = { list: [1] };
      const sent = troupe.send(mirror, "sent").keep(given);
      given.list.push(2);
      await sent;
      const seen = await troupe.agent(mirror, "sent").look(null);
      assert.deepEqual(seen, [{ list: [1] }, { list: [1] }, { list: [1] }]);
    },
  },
  {
    name: "I8, I12: a handler that changes a Date, bytes, a Map or a Set of its state changes nobody's state",
    async run(harness) {
      await using stage = new Stage(harness);
      const customer = agent("customer")
        .state({
          since: new Date(0),
          bytes: new Uint8Array(2),
          names: new Map<string, Date>([["first", new Date(0)]]),
          tags: new Set<string>(),
        })
        .event("named", anything<Date>(), (state, at) => {
          // A fold may work on its arguments; its return value counts.
          state.names.set("named", at);
          at.setTime(at.getTime() + 1);
          return state;
        })
        .on("touch", anything<null>(), (ctx) => {
          ctx.emit.named(new Date(10));
          const { bytes, names, since, tags } = ctx.state;
          since.setTime(9);
          bytes[0] = 9;
          names.get("first")?.setTime(9);
          names.set("secret", new Date(9));
          tags.add("secret");
        })
        .on("look", anything<null>(), (ctx) => ctx.state);
      const expected = (names: readonly (readonly [string, Date])[]): unknown => ({
        since: new Date(0),
        bytes: new Uint8Array(2),
        names: new Map([["first", new Date(0)], ...names]),
        tags: new Set(),
      });
      const { troupe } = await stage.host(customer, { snapshotTurns: 1 });
      await troupe.agent(customer, "one").touch(null);
      assert.deepEqual(await troupe.agent(customer, "two").look(null), expected([]));
      const own = expected([["named", new Date(11)]]);
      assert.deepEqual(await troupe.agent(customer, "one").look(null), own);
      for await (const { record, state } of troupe.replay(customer, "one")) {
        assert.deepEqual(state, own);
        for (const { data } of record.events) assert.deepEqual(data, new Date(10));
      }
    },
  },
  {
    name: "I12: what an interceptor of commit changes in place is neither in the state nor in the record",
    async run(harness) {
      await using stage = new Stage(harness);
      const commit: Interceptor["commit"] = (record, next) => {
        for (const { data } of record.events) (data as { readonly at: Date }).at.setTime(9);
        (record.reply as Date).setTime(9);
        return next(record);
      };
      const dated = agent("dated")
        .state<Kept>({ all: [] })
        .event("kept", anything<unknown>(), ({ all }, value) => ({ all: [...all, value] }))
        .on("keep", anything<unknown>(), (ctx, value) => {
          ctx.emit.kept({ at: value });
          return value;
        });
      const { troupe } = await stage.host(dated, { interceptors: [{ commit }] });
      const at = new Date(5);
      assert.deepEqual(await troupe.agent(dated, "a").keep(at), at);
      for await (const { record, state } of troupe.replay(dated, "a")) {
        assert.deepEqual(record.events, [{ type: "kept", data: { at } }]);
        assert.deepEqual(state.all, [{ at }]);
      }
    },
  },
  {
    name: "I12: no bytes at all are the undefined of a foreign client, also of a key that is behind",
    async run(harness) {
      await using stage = new Stage(harness);
      const count = 6;
      for (let each = 0; each < count; each++) {
        await harness.publishForeign("topic", "posted", "a", new Uint8Array());
      }
      const { heard, troupe } = await stage.host(mirror, { keyWindowMax: 1 });
      await heard.has("turn.committed", count);
      const seen = await troupe.agent(mirror, "a").look(undefined);
      assert.deepEqual(seen, Array.from({ length: count }));
    },
  },
  {
    name: "what has a `then` is awaited, and refused where nothing can wait, without being run",
    async run(harness) {
      await using stage = new Stage(harness);
      const run: string[] = [];
      const lazy = (name: string): PromiseLike<string> => ({
        // oxlint-disable-next-line unicorn/no-thenable -- that is what is tried.
        then: (resolve, reject) => {
          run.push(name);
          return Promise.resolve(name).then(resolve, reject);
        },
      });
      const commit: Interceptor["commit"] = (record, next) =>
        record.message === "late" ? (lazy("commit") as never) : next(record);
      const patient = agent("patient")
        .on("answer", anything<null>(), () => lazy("answer"))
        .onBatch("batch", anything<null>(), () => lazy("batch").then((reply) => [reply]) as never)
        .on("late", anything<null>(), () => null)
        .on(
          "fail",
          anything<null>(),
          () => {
            throw new Error("it fails");
          },
          { onFailed: () => lazy("onFailed") as never },
        );
      const retry = { attemptsMax: 1 };
      const { heard, troupe } = await stage.host(patient, { interceptors: [{ commit }], retry });
      assert.equal(await troupe.agent(patient, "a").answer(null), "answer");
      assert.equal(await troupe.agent(patient, "a").batch(null), "batch");
      await rejectsWith(troupe.agent(patient, "a").fail(null), "remote-turn-failed");
      await rejectsWith(troupe.agent(patient, "a").late(null), "remote-turn-failed");
      assert.deepEqual(run, ["answer", "batch"]);
      await heard.has("fault", 1);
      assert.match(heard.of("fault")[0]?.what ?? "", /onFailed/);
      assert.deepEqual(await lettersOf(await stage.log()), ["handler-failed", "definition"]);
    },
  },
  {
    name: "I12: a part of a pipeline's item that makes nothing is done, and its place is undefined",
    async run(harness) {
      await using stage = new Stage(harness);
      let runs = 0;
      const quiet = pipeline("quiet", anything<null>()).parallel(
        "parts",
        { each: () => [1, 2, 3], limit: 1 },
        (_, part) => {
          runs += 1;
          return part === 2 ? part : undefined;
        },
      );
      const { troupe } = await stage.host(quiet.agents, { snapshotTurns: 1 });
      const results = await troupe.agent(quiet, "job").run(null);
      assert.deepEqual(results, [undefined, 2, undefined]);
      assert.equal(runs, 3);
    },
  },
  {
    name: "a parallel stage whose `each` returns no array fails its job by name",
    async run(harness) {
      await using stage = new Stage(harness);
      for (const parts of [new Set([1]), Promise.resolve([1]), "ab", undefined]) {
        const type = `odd-${Object.prototype.toString.call(parts).slice(8, -1)}`;
        const odd = pipeline(type, anything<null>()).parallel(
          "parts",
          { each: () => parts as never },
          () => null,
          { retry: { attemptsMax: 1 } },
        );
        const { troupe } = await stage.host(odd.agents);
        await rejectsWith(troupe.agent(odd, "job").run(null), "pipeline-stage-failed");
      }
      const letters = await lettersOf(await stage.log());
      assert.deepEqual(letters, ["definition", "definition", "definition", "definition"]);
    },
  },
];
