import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fairShares } from "./fair-shares.ts";
import { limit, limitsOf } from "../../definition/limit.ts";
import { freeOf, withoutUnused, withSpent } from "./rate-window.ts";
import type { Spent } from "./rate-window.ts";

describe("the declaration of a limit", () => {
  it("is plain frozen data", () => {
    const gpt = limit("gpt-4.1", { concurrency: 8, rate: { count: 500, perMs: 60_000 } });
    expect({ ...gpt }).toEqual({
      kind: "limit",
      name: "gpt-4.1",
      concurrency: 8,
      rate: { count: 500, perMs: 60_000 },
    });
    expect(Object.isFrozen(gpt) && Object.isFrozen(gpt.rate)).toBe(true);
  });

  it.each([
    ["", { concurrency: 1 }],
    ["gpt", {}],
    ["gpt", { concurrency: 0 }],
    ["gpt", { concurrency: 1.5 }],
    ["gpt", { concurrency: Number.NaN }],
    ["gpt", { rate: { count: 0, perMs: 1000 } }],
    ["gpt", { rate: { count: 1, perMs: 999 } }],
    ["gpt", { rate: { count: 1, perMs: Infinity } }],
  ])("named %j with %j is refused by name", (name, options) => {
    expect(() => limit(name, options)).toThrow(expect.objectContaining({ code: "invalid-limit" }));
  });

  it("knows what a step costs, and refuses what can never be", () => {
    const calls = limit("calls", { rate: { count: 5, perMs: 1000 } });
    const tokens = limit("tokens", { rate: { count: 9000, perMs: 1000 } });
    expect(limitsOf([calls, { limit: tokens, cost: 1200 }], 1)).toEqual([
      { limit: calls, cost: 1 },
      { limit: tokens, cost: 1200 },
    ]);
    expect(limitsOf(tokens, 70)).toEqual([{ limit: tokens, cost: 70 }]);
    const refused = expect.objectContaining({ code: "invalid-limit" });
    expect(() => limitsOf({ limit: tokens, cost: 9001 }, 1)).toThrow(refused);
    expect(() => limitsOf(tokens, 0)).toThrow(refused);
    expect(() => limitsOf([tokens, { limit: tokens, cost: 2 }], 1)).toThrow(refused);
  });
});

describe("fair shares", () => {
  const claims = fc
    .array(fc.nat(40), { minLength: 1, maxLength: 8 })
    .map((wants) => wants.map((want, i) => ({ name: `c${i}`, wants: want, ticket: (i * 5) % 7 })));

  it("use everything that is wanted, and no more than there is", () => {
    const law = fc.property(fc.nat(100), claims, (permits, all) => {
      const shares = [...fairShares(permits, all).values()];
      const wanted = all.reduce((sum, { wants }) => sum + wants, 0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(Math.min(permits, wanted));
    });
    fc.assert(law);
  });

  it("give nobody more than a permit above somebody who wants more, and that one by ticket", () => {
    const law = fc.property(fc.nat(100), claims, (permits, all) => {
      const shares = fairShares(permits, all);
      for (const one of all) {
        const own = shares.get(one.name) ?? 0;
        expect(own).toBeLessThanOrEqual(one.wants);
        if (own === one.wants) continue;
        for (const other of all) {
          const more = (shares.get(other.name) ?? 0) - own;
          expect(more).toBeLessThanOrEqual(1);
          expect(more < 1 || other.ticket <= one.ticket).toBe(true);
        }
      }
    });
    fc.assert(law);
  });
});

describe("the window of a rate", () => {
  const rate = { count: 100, perMs: 10_000 };

  it("has in every window at most the count, when all is used in its time (RATE-2)", () => {
    const moves = fc.array(
      fc.record({ afterMs: fc.nat(3000), cost: fc.nat(60), lieMs: fc.nat(249) }),
      { maxLength: 60 },
    );
    const law = fc.property(moves, (all) => {
      let nowMs = 1_000_000;
      let spent: readonly Spent[] = [];
      const uses: Spent[] = [];
      for (const { afterMs, cost, lieMs } of all) {
        nowMs += afterMs;
        const taken = Math.max(0, Math.min(cost, freeOf(spent, [rate], nowMs)));
        spent = withSpent(spent, [nowMs, taken], [rate]);
        uses.push([nowMs + lieMs, taken]);
      }
      for (const [fromMs] of uses) {
        const within = uses.filter(([atMs]) => atMs >= fromMs && atMs < fromMs + rate.perMs);
        expect(within.reduce((sum, [, cost]) => sum + cost, 0)).toBeLessThanOrEqual(rate.count);
      }
    });
    fc.assert(law, { numRuns: 300 });
  });

  it("keeps few slots, whatever happens", () => {
    let spent: readonly Spent[] = [];
    for (let i = 0; i < 5000; i++) spent = withSpent(spent, [i * 7, 1], [rate]);
    expect(spent.length).toBeLessThan(60);
  });

  it("takes back what was not used", () => {
    const spent = withSpent(withSpent([], [1000, 30], [rate]), [5000, 30], [rate]);
    expect(freeOf(withoutUnused(spent, 40), [rate], 5000)).toBe(80);
    expect(withoutUnused(spent, 60)).toEqual([]);
  });
});
