/**
 * Values in the hands of handlers: the live state is what the journal says, or the turn fails by
 * name (I3, I8, I10).
 */
import assert from "node:assert/strict";

import { agent, Reject, topic } from "@troupe/core";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, ledger, lettersOf, noteSchema } from "./ledger.ts";
import { Stage } from "./stage.ts";

const echoes = topic("echoes", noteSchema);

export const valueChecks: readonly LogCheck[] = [
  {
    name: "I10: values that cannot be stored fail their turn by name, in events, steps, replies, rejections",
    async run(harness) {
      await using stage = new Stage(harness);
      const circle: Record<string, unknown> = {};
      circle["self"] = circle;
      const values: readonly unknown[] = [
        circle,
        2n,
        Symbol("s"),
        { deep: [2n ** 70n] },
        "\ud800",
        new TypeError("x"),
        { f: () => 1 },
        new Date(Number.NaN),
        JSON.parse('{"__proto__":1}'),
        // oxlint-disable-next-line no-sparse-arrays -- that is what is odd.
        [1, , 3],
        new URL("https://example.com"),
        [Promise.resolve(1)],
      ];
      const odd = agent("odd")
        .event("happened", anything<{ readonly value: unknown }>(), (state) => state)
        .on("emit", anything<number>(), (ctx, i) => ctx.emit.happened({ value: values[i] }))
        .on("step", anything<number>(), async (ctx, i) => {
          await ctx.step("odd", () => values[i]);
        })
        .on("reply", anything<number>(), (_, i) => values[i])
        .on("reject", anything<number>(), (_, i) => {
          throw new Reject("odd", values[i]);
        });
      const { troupe } = await stage.host(odd);
      for (const i of values.keys()) {
        await rejectsWith(troupe.agent(odd, "a").emit(i), "remote-turn-failed");
        await rejectsWith(troupe.agent(odd, "a").step(i), "remote-turn-failed");
        await rejectsWith(troupe.agent(odd, "a").reply(i), "remote-turn-failed");
        await rejectsWith(troupe.agent(odd, "a").reject(i), "rejected");
      }
      const letters = await lettersOf(await stage.log());
      assert.deepEqual(new Set(letters), new Set(["not-storable"]));
      assert.equal(letters.length, 3 * values.length);
    },
  },
  {
    name: "I8: the live state is the stored one, whatever a handler emits and however it changes it later",
    async run(harness) {
      await using stage = new Stage(harness);
      const odd = agent("odd")
        .state<{ readonly seen: readonly unknown[] }>({ seen: [] })
        .event("happened", anything<unknown>(), (state, value) => ({
          seen: [...state.seen, value, JSON.stringify(value), typeof value],
        }))
        .on("emit", anything<null>(), (ctx) => {
          const list = [1];
          const values = [
            { gone: undefined, here: null },
            new Date(5),
            new Map([["a", 1]]),
            new Set([1]),
            Uint8Array.of(1, 2),
            Buffer.from("bytes"),
            [1, undefined],
            -0,
            { list },
            Number.NaN,
            undefined,
          ];
          for (const value of values) ctx.emit.happened(value);
          list.push(2);
          return ctx.state;
        });
      const host = await stage.host(odd);
      const live = await host.troupe.agent(odd, "a").emit(null);
      for await (const turn of host.troupe.replay(odd, "a")) {
        assert.deepEqual(live, turn.state);
      }
    },
  },
  {
    name: "I8: a handler or fold that changes the state itself fails instead of leaving the journal behind",
    async run(harness) {
      await using stage = new Stage(harness);
      const impure = agent("impure")
        .state<{ list: number[] }>({ list: [] })
        .event("added", anything<number>(), (state, value) => ({ list: [...state.list, value] }))
        .event("pushed", anything<number>(), (state, value) => {
          state.list.push(value);
          return state;
        })
        .on("add", anything<number>(), (ctx, value) => {
          ctx.emit.added(value);
          return ctx.state.list.length;
        })
        .on("push", anything<number>(), (ctx, value) => ctx.emit.pushed(value))
        .on("meddle", anything<number>(), (ctx, value) => ctx.state.list.push(value));
      const { troupe } = await stage.host(impure, { retry: { attemptsMax: 1 } });
      assert.equal(await troupe.agent(impure, "a").add(1), 1);
      await rejectsWith(troupe.agent(impure, "a").push(2), "remote-turn-failed");
      await rejectsWith(troupe.agent(impure, "a").meddle(2), "remote-turn-failed");
      assert.equal(await troupe.agent(impure, "a").add(3), 2);
      assert.deepEqual(await lettersOf(await stage.log()), ["fold-failed", "handler-failed"]);
    },
  },
  {
    name: "I3: what a handler emits or sends after its end is refused and stored nowhere",
    async run(harness) {
      await using stage = new Stage(harness);
      const refused: unknown[] = [];
      const book = ledger((context, { text }) => {
        const later = (): void => {
          for (const act of [
            () => context.emit.noted({ text: "too late" }),
            () => context.publish(echoes, "alice", { text: "too late" }),
            () => context.send(book, "bob").note({ text: "too late" }),
          ]) {
            try {
              act();
            } catch (thrown) {
              refused.push((thrown as { readonly code?: unknown }).code);
            }
          }
        };
        if (text === "first") queueMicrotask(later);
      });
      const { troupe } = await stage.host(book);
      assert.equal(await troupe.agent(book, "alice").note({ text: "first" }), 1);
      assert.equal(await troupe.agent(book, "alice").note({ text: "second" }), 2);
      assert.deepEqual(refused, ["turn-ended", "turn-ended", "turn-ended"]);
    },
  },
];
