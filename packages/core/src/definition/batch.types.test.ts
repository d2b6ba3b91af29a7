/** Types of a batch handler's items and of its message's reply are inferred. */
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

import type { AskCalls } from "./agent-calls.ts";
import type { Agent } from "./agent.ts";
import { agent } from "./agent.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import { topic } from "./topic.ts";

type MessagesOf<A> = A extends Agent<unknown, infer _, infer Messages> ? Messages : never;

const texts = topic("texts", z.object({ text: z.string() }));

const embedder = agent("embedder")
  .state({ count: 0 })
  .event("embedded", z.object({ vector: z.array(z.number()) }), ({ count }) => ({
    count: count + 1,
  }))
  .onBatch("embed", z.object({ text: z.string() }), async (ctx, batch) => {
    const vectors = await ctx.step("embed", batch, async (items, { idempotencyKeys, signal }) => {
      expectTypeOf(idempotencyKeys).toEqualTypeOf<readonly string[]>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return items.map(({ data }) => [data.text.length]);
    });
    expectTypeOf(vectors).toEqualTypeOf<readonly number[][]>();
    return batch.map((item, index) => {
      expectTypeOf(item.data).toEqualTypeOf<{ text: string }>();
      expectTypeOf(item.state.count).toEqualTypeOf<number>();
      if (item.data.text === "") return item.fail(new Error("empty"));
      item.emit.embedded({ vector: vectors[index] ?? [] });
      return { dimensions: 1 };
    });
  })
  .onBatch("forget", z.null(), () => undefined)
  .subscribeBatch(texts, (_, batch) => {
    expectTypeOf(batch[0]?.data).toEqualTypeOf<{ text: string } | undefined>();
  });

/** Every line is a mistake that the compiler must find. */
function mistakes(): unknown[] {
  return [
    // @ts-expect-error -- replies come as an array, one per message.
    agent("a").onBatch("embed", z.null(), () => "one reply"),
    // @ts-expect-error -- there is no such grouping.
    agent("a").onBatch("embed", z.null(), () => [], { batch: { by: "topic" } }),
    agent("a").onBatch("embed", z.object({ text: z.string() }), (_, batch) =>
      // @ts-expect-error -- the message has no such field.
      batch.map(({ data }) => data.sum),
    ),
  ];
}

test("the reply of a batch handler's message is what it returns for one, without failures", () => {
  type Calls = AskCalls<MessagesOf<typeof embedder>>;
  expectTypeOf<Calls["embed"]>().parameters.toEqualTypeOf<[{ text: string }]>();
  expectTypeOf<Calls["embed"]>().returns.resolves.toEqualTypeOf<{ dimensions: number }>();
  expectTypeOf<Calls["forget"]>().returns.resolves.toEqualTypeOf<undefined>();
  expectTypeOf(mistakes).toBeFunction();
  expect(embedder.messages["embed"]?.batch).toMatchObject({ size: 100, waitMs: 5, by: "type" });
});

test.each([{ size: 0 }, { bytes: Number.NaN }, { waitMs: -1 }])(
  "a declaration with %o is refused and names the option",
  (batch) => {
    const [option = ""] = Object.keys(batch);
    const declare = (): unknown => agent("a").onBatch("m", z.null(), () => undefined, { batch });
    expect(declare).toThrow(DefinitionError);
    expect(declare).toThrow(`batch.${option}`);
  },
);
