import { AssertionError } from "node:assert";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { agent } from "@troupe/core";
import { given } from "./given.ts";

const noon = Date.UTC(2026, 0, 1, 12);

const desk = agent("desk").on("open", z.object({ ticket: z.string() }), () => null);

const ticket = agent("ticket")
  .state({ open: true, reminders: 0 })
  .event("reminded", z.object({}), (state) => ({ ...state, reminders: state.reminders + 1 }))
  .event("closed", z.object({}), (state) => ({ ...state, open: false }))
  .on("remind", z.object({}), (ctx) => {
    if (ctx.message.timer === "nudge" && ctx.state.open) ctx.emit.reminded({});
  })
  .on("open", z.object({}), (ctx) => {
    ctx.after(60_000, { id: "nudge" }).remind({});
    ctx.every(5000, { id: "beat" }).remind({});
    ctx.at(noon, { agent: desk, key: "main" }).open({ ticket: ctx.agent.key });
  })
  .on("close", z.object({}), (ctx) => {
    ctx.emit.closed({});
    ctx.cancel("nudge");
  })
  .on("fail", z.object({}), (ctx) => {
    ctx.after(1).remind({});
    throw new Error("never");
  });

describe("given, when, then with timers", () => {
  test("what is set, for itself and for others, once and again and again", async () => {
    await given(ticket)
      .when("open", {})
      .then({
        timers: [
          { id: "nudge", inMs: 60_000, to: "ticket/one", message: "remind", data: {} },
          { id: "beat", everyMs: 5000, to: "ticket/one", message: "remind", data: {} },
          { inMs: 43_200_000, to: "desk/main", message: "open", data: { ticket: "one" } },
        ],
        cancelled: [],
        sent: [],
      });
  });

  test("what is cancelled", async () => {
    const cancelled = ["nudge"];
    await given(ticket).when("close", {}).then({ timers: [], cancelled });
  });

  test("a timer that fires says which one it is", async () => {
    const reminded = [{ type: "reminded", data: {} }] as const;
    await given(ticket).whenFired("nudge", "remind", {}).then({ events: reminded });
    await given(ticket).whenFired("beat", "remind", {}).then({ events: [] });
    await given(ticket).when("remind", {}).then({ events: [] });
    const closed = [{ type: "closed", data: {} }] as const;
    await given(ticket, closed).whenFired("nudge", "remind", {}).then({ events: [] });
  });

  test("a turn that fails sets none", async () => {
    await given(ticket)
      .when("fail", {})
      .then({ failure: { code: "handler-failed" }, timers: [] });
  });

  test("it fails when timers differ", async () => {
    const open = given(ticket).when("open", {});
    await expect(open.then({ timers: [] })).rejects.toThrow(AssertionError);
    await expect(open.then({ cancelled: ["nudge"] })).rejects.toThrow(AssertionError);
  });
});
