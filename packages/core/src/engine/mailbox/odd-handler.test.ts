import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { InspectionEvent } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0 }, retry: { attemptsMax: 2, delayMs: 1 } } as const;

const odd: Readonly<Record<string, () => unknown>> = {
  // The odd values that are thrown here are the subject of the test.
  /* oxlint-disable typescript/only-throw-error, typescript/prefer-promise-reject-errors, unicorn/no-thenable */
  "throws an object without a prototype": () => {
    throw Object.create(null);
  },
  "throws an error whose stack is no text": () => {
    throw Object.assign(new Error("e"), { stack: [] });
  },
  "throws a revoked proxy": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    throw proxy;
  },
  "rejects with a symbol": () => Promise.reject(Symbol("odd")),
  "returns an object whose then throws": () => ({
    get then(): never {
      throw new Error("no then");
    },
  }),
  "returns a promise whose own then throws": () =>
    Object.defineProperty(Promise.resolve(1), "constructor", {
      get: () => {
        throw new Error("no constructor");
      },
    }),
  "returns a thenable that throws": () => ({
    then() {
      throw Object.create(null);
    },
  }),
};

describe("a handler that", () => {
  const odds = agent("odds")
    .on("be", z.string(), (_, kind) => odd[kind]?.())
    .on("answer", z.object({}), () => "here");

  it.each(Object.keys(odd))("%s costs one dead letter and no neighbour", async (kind) => {
    const events: InspectionEvent[] = [];
    await using troupe = createTroupe(createMemoryBroker().connect());
    troupe.inspect((event) => events.push(event));
    await troupe.work(odds, quick);
    await expect(troupe.agent(odds, "a").be(kind)).rejects.toMatchObject({
      code: "remote-turn-failed",
    });
    expect(await troupe.agent(odds, "a").answer({})).toBe("here");
    const letters = events.filter((event) => event.kind === "dead-letter");
    expect(letters).toHaveLength(1);
  });
});

describe("a listener of the inspection feed", () => {
  it.each([
    [
      "throws",
      () => {
        throw Object.create(null);
      },
    ],
    ["rejects", () => Promise.reject(new Error("late"))],
  ])("that %s is dropped, and ends nothing", async (_, listener) => {
    const echo = agent("echo").on("say", z.string(), (__, text) => text);
    await using troupe = createTroupe(createMemoryBroker().connect());
    // oxlint-disable-next-line typescript/no-misused-promises
    troupe.inspect(listener);
    await troupe.work(echo, quick);
    expect(await troupe.agent(echo, "a").say("hi")).toBe("hi");
  });
});
