/**
 * Types that the compiler infers for an agent without one annotation. Wrong uses are compile
 * errors, held by `@ts-expect-error`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expectTypeOf, expect, test } from "vitest";
import { z } from "zod";

import { agent, agentNamed, topic } from "@troupe/core";
import type { AskCalls } from "./agent-calls.ts";
import type { MessagesOf } from "./agent.ts";
import type { MessageOptions, Receipt, Troupe } from "@troupe/core";
import type { ReplayedTurn } from "@troupe/core/operate";

const inquiries = topic(
  "inquiries",
  z.object({ text: z.string(), at: z.string().transform((at) => new Date(at)) }),
);

const ledger = agent("ledger").on("note", z.object({ text: z.string() }), () => "noted" as const);

const account = agent("account")
  .state({ balance: 0, owner: "nobody" })
  .event("deposited", z.object({ amount: z.coerce.number() }), (state, event) => {
    expectTypeOf(state).toEqualTypeOf<Readonly<{ balance: number; owner: string }>>();
    expectTypeOf(event).toEqualTypeOf<{ amount: number }>();
    return { ...state, balance: state.balance + event.amount };
  })
  .event("closed", z.object({ reason: z.string() }), (state) => state)
  .event(
    "renamed",
    z.object({ owner: z.string(), at: z.number().default(0) }),
    (state, event) => {
      expectTypeOf(event).toEqualTypeOf<{ owner: string; at: number }>();
      return { ...state, owner: event.owner };
    },
    {
      version: 3,
      upcast: {
        1: (data) => {
          expectTypeOf(data).toEqualTypeOf<unknown>();
          return { owner: data };
        },
        2: (data) => data,
      },
    },
  )
  .on("deposit", z.object({ amount: z.number(), note: z.string().default("") }), (ctx, message) => {
    expectTypeOf(message).toEqualTypeOf<{ amount: number; note: string }>();
    expectTypeOf(ctx.state).toEqualTypeOf<Readonly<{ balance: number; owner: string }>>();
    expectTypeOf(ctx.emit.closed).toEqualTypeOf<(data: { reason: string }) => void>();
    expectTypeOf(ctx.emit.renamed).toEqualTypeOf<
      (data: { owner: string; at?: number | undefined }) => void
    >();
    expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
    ctx.emit.deposited({ amount: message.amount });
    return ctx.state.balance;
  })
  .on("close", z.object({ reason: z.enum(["moved", "died"]) }), async (ctx, { reason }) => {
    expectTypeOf(reason).toEqualTypeOf<"moved" | "died">();
    ctx.emit.closed({ reason });
    ctx.send(ledger, "main").note({ text: reason });
    expectTypeOf(ctx.send(ledger, "main").note).toEqualTypeOf<
      (message: { text: string }) => void
    >();
    expectTypeOf(ctx.ask(ledger, "main").note({ text: reason })).toEqualTypeOf<Promise<"noted">>();
    ctx.publish(inquiries, "x", { text: reason, at: "2026-01-01" });
    expectTypeOf(ctx.after(1000).close({ reason })).toEqualTypeOf<string>();
    ctx.at(new Date(), { id: "later" }).deposit({ amount: 5 });
    ctx.every(1000, { agent: ledger, key: "main", id: "hourly" }).note({ text: reason });
    return { closed: true as const };
  })
  .subscribe(inquiries, (ctx, inquiry) => {
    expectTypeOf(inquiry).toEqualTypeOf<{ text: string; at: Date }>();
    ctx.emit.closed({ reason: inquiry.text });
  });

declare const troupe: Troupe;

/** Only for the compiler. */
function clients(): unknown[] {
  const calls = troupe.agent(account, "alice");
  expectTypeOf(calls.deposit({ amount: 5 })).toEqualTypeOf<Promise<number>>();
  expectTypeOf(calls.close({ reason: "moved" })).toEqualTypeOf<Promise<{ closed: true }>>();
  expectTypeOf<keyof typeof calls>().toEqualTypeOf<"deposit" | "close">();
  const sends = troupe.send(account, "alice");
  expectTypeOf(sends.deposit({ amount: 5, note: "x" })).toEqualTypeOf<Promise<Receipt>>();
  const publication = { text: "x", at: "2026-01-01" };
  expectTypeOf(troupe.publish(inquiries, "s", publication)).toEqualTypeOf<Promise<Receipt>>();
  const replay = troupe.replay(account, "alice");
  expectTypeOf(replay).toEqualTypeOf<
    AsyncIterable<ReplayedTurn<{ balance: number; owner: string }>>
  >();
  const untyped = troupe.agent(agentNamed("account"), "alice");
  expectTypeOf(untyped["anything"]).toEqualTypeOf<
    ((message: unknown, options?: MessageOptions) => Promise<unknown>) | undefined
  >();
  return [calls, sends, replay];
}

/** Every line is a mistake that the compiler must find. */
function mistakes(): unknown[] {
  const calls = troupe.agent(account, "alice");
  return [
    // @ts-expect-error -- the message has no field `sum`.
    calls.deposit({ sum: 5 }),
    // @ts-expect-error -- the amount is a number.
    calls.deposit({ amount: "5" }),
    // @ts-expect-error -- no such message.
    calls.withdraw({ amount: 5 }),
    // @ts-expect-error -- the message is missing.
    calls.deposit(),
    // @ts-expect-error -- a publication needs all fields.
    troupe.publish(inquiries, "s", { text: "x" }),
    // @ts-expect-error -- the publisher gives what the schema accepts, not what it makes of it.
    troupe.publish(inquiries, "s", { text: "x", at: new Date() }),
    account.on("more", z.object({}), (ctx) => {
      // @ts-expect-error -- no such event.
      ctx.emit.opened({});
      // @ts-expect-error -- the state is read-only.
      ctx.state.balance = 7;
      // @ts-expect-error -- an event needs its data.
      ctx.emit.closed({});
      // @ts-expect-error -- the other agent has no such message.
      ctx.send(ledger, "main").shred({});
      // @ts-expect-error -- this agent has no such message.
      ctx.after(1000).shred({});
      // @ts-expect-error -- a message to oneself has its fields, too.
      ctx.after(1000).close({});
      // @ts-expect-error -- the other agent has no such message.
      ctx.after(1000, { agent: ledger, key: "main" }).close({ reason: "moved" });
      // @ts-expect-error -- another agent needs its key.
      ctx.after(1000, { agent: ledger }).note({ text: "x" });
    }),
    // @ts-expect-error -- an upcaster must take anything: nothing checked what was recorded.
    account.event("a", z.null(), (s) => s, { version: 2, upcast: { 1: (n: number) => n } }),
    // @ts-expect-error -- upcasters are named by the version that they lift.
    account.event("b", z.null(), (s) => s, { version: 2, upcast: { first: () => null } }),
    // @ts-expect-error -- a version is a number.
    account.event("c", z.null(), (s) => s, { version: "2" }),
    // @ts-expect-error -- a fold returns a state.
    account.event("emptied", z.object({}), () => ({ balance: "none" })),
    // @ts-expect-error -- a schema is a Standard Schema value.
    account.on("more", { text: "string" }, () => 1),
  ];
}

describe("types of an agent", () => {
  test("are inferred from the definition alone", () => {
    expectTypeOf(clients).toBeFunction();
    expectTypeOf(mistakes).toBeFunction();
    type Messages = MessagesOf<typeof account>;
    expectTypeOf<Messages["deposit"]>().toEqualTypeOf<{
      readonly input: { amount: number; note?: string | undefined };
      readonly reply: number;
    }>();
    expectTypeOf<AskCalls<Messages>["close"]>().returns.resolves.toEqualTypeOf<{ closed: true }>();
  });

  test("an agent without state has an empty one", () => {
    const bare = agent("bare").on("ping", z.null(), (ctx) => {
      // @ts-expect-error -- there is no state.
      return ctx.state.anything;
    });
    expect(bare.initialState).toEqual({});
  });
});

describe("public types", () => {
  // With isolatedDeclarations every exported type is written down in the source, so that is the
  // place to look.
  test("have no any", () => {
    const root = fileURLToPath(new URL("..", import.meta.url));
    const found = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .filter((name) =>
        /[:<|&(,=]\s*any\b(?!\s*[:(])/.test(codeOf(readFileSync(root + name, "utf8"))),
      );
    expect(found).toEqual([]);
  });
});

/** The source without comments and texts. */
function codeOf(source: string): string {
  return source
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""');
}

test("a message without payload is called without an argument", () => {
  const clock = agent("clock").on("tick", (ctx) => ctx.agent.key);
  type Calls = AskCalls<MessagesOf<typeof clock>>;
  expectTypeOf<Calls["tick"]>().returns.resolves.toEqualTypeOf<string>();
  const call = (calls: Calls): Promise<string> => calls.tick();
  expectTypeOf(call).returns.resolves.toEqualTypeOf<string>();
  // @ts-expect-error it takes none
  expectTypeOf((calls: Calls) => calls.tick({ text: "much" })).toBeFunction();
});
