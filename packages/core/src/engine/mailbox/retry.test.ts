import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { InspectionEvent } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0 }, retry: { delayMs: 1, delayMsMax: 2 } } as const;

describe("a retry policy", () => {
  it("of a message wins over the worker's", async () => {
    const often = vi.fn<() => never>(() => {
      throw new Error("never");
    });
    const once = vi.fn<() => never>(() => {
      throw new Error("never");
    });
    const flaky = agent("flaky")
      .on("often", z.object({}), often)
      .on("once", z.object({}), once, { retry: { attemptsMax: 1 } });
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(flaky, quick);
    await expect(troupe.agent(flaky, "a").often({})).rejects.toThrow("never");
    await expect(troupe.agent(flaky, "a").once({})).rejects.toThrow("never");
    expect(often).toHaveBeenCalledTimes(5);
    expect(once).toHaveBeenCalledTimes(1);
  });

  it("ends a handler that never returns, by name, while its neighbours go on", async () => {
    let aborted = 0;
    const stuck = agent("stuck")
      .on(
        "hang",
        z.object({}),
        (ctx) => {
          ctx.signal.addEventListener("abort", () => (aborted += 1));
          return new Promise<never>(() => undefined);
        },
        { retry: { attemptsMax: 2, timeoutMs: 20 } },
      )
      .on("answer", z.object({}), () => "here");
    await using troupe = createTroupe(createMemoryBroker().connect());
    await troupe.work(stuck, quick);
    const hanging = troupe.agent(stuck, "a").hang({});
    const behind = troupe.agent(stuck, "a").answer({});
    expect(await troupe.agent(stuck, "b").answer({})).toBe("here");
    await expect(hanging).rejects.toMatchObject({
      code: "remote-turn-failed",
      remote: {
        code: "turn-timeout",
        details: { agent: "stuck/a", message: "hang", timeoutMs: 20 },
      },
    });
    expect(await behind).toBe("here");
    expect(aborted).toBe(2);
  });

  it("keeps what a run that was given up does later out of the next one", async () => {
    const events: InspectionEvent[] = [];
    const late = Promise.withResolvers<void>();
    const lateError = Promise.withResolvers<unknown>();
    let runs = 0;
    const slow = agent("slow")
      .state({ marks: [] as readonly string[] })
      .event("marked", z.string(), ({ marks }, mark) => ({ marks: [...marks, mark] }))
      .on(
        "mark",
        z.object({}),
        async (ctx) => {
          runs += 1;
          if (runs > 1) return ctx.emit.marked("second");
          await late.promise;
          try {
            ctx.emit.marked("first");
          } catch (error) {
            lateError.resolve(error);
          }
        },
        { retry: { timeoutMs: 10 } },
      )
      .on("show", z.object({}), (ctx) => ctx.state.marks);
    await using troupe = createTroupe(createMemoryBroker().connect());
    troupe.inspect((event) => void events.push(event));
    await troupe.work(slow, quick);
    await troupe.agent(slow, "a").mark({});
    late.resolve();
    expect(await lateError.promise).toMatchObject({ code: "turn-ended" });
    expect(await troupe.agent(slow, "a").show({})).toEqual(["second"]);
    expect(events.filter(({ kind }) => kind === "turn.retrying")).toHaveLength(1);
  });
});
