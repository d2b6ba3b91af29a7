/** Options that are not usable are refused by name, before anything starts. */
import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { RetryPolicy, WorkerOptions } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { workerSettingsDefault } from "@troupe/core/engine";
import { createMemoryBroker } from "@troupe/testing";
import { workerSettings } from "./worker-options.ts";

const { timings } = workerSettingsDefault;
const counted = Object.entries(workerSettingsDefault)
  .filter(([, value]) => typeof value === "number")
  .map(([name]) => name);
const minimums: readonly (readonly [string, number, (value: unknown) => object])[] = [
  ...counted.map((name) => {
    const least = name === "limitLeaseMs" ? 1000 : 1;
    return [name, least, (value: unknown) => ({ [name]: value })] as const;
  }),
  ...Object.keys(timings).map((name) => {
    const least = name === "joinDelayMs" || name === "handoverTimeoutMs" ? 0 : 1;
    return [
      `timings.${name}`,
      least,
      (value: unknown) => ({ timings: { [name]: value } }),
    ] as const;
  }),
  ...(["attemptsMax", "delayMs", "delayMsMax", "timeoutMs"] as const).map((name) => {
    const least = name.startsWith("delay") ? 0 : 1;
    return [`retry.${name}`, least, (value: unknown) => ({ retry: { [name]: value } })] as const;
  }),
];

describe("the options of a worker", () => {
  it.each(minimums)("refuse an unusable %s by name", (name, least, option) => {
    for (const value of [least - 1, -1, Number.NaN, -Infinity, "5", null]) {
      expect(() => workerSettings(option(value) as WorkerOptions)).toThrow(
        expect.objectContaining({
          code: "definition",
          message: expect.stringContaining(`Worker option ${name} is ${value}; it must be a `),
          details: { option: `Worker option ${name}`, value },
        }),
      );
    }
    expect(workerSettings(option(least) as WorkerOptions)).toMatchObject(option(least));
  });

  it("refuse a fraction of what is counted, and no bound where there must be one", () => {
    expect(() => workerSettings({ windowMax: 1.5 })).toThrow("a whole number of at least 1.");
    expect(() => workerSettings({ windowMax: Infinity })).toThrow("windowMax is Infinity");
    expect(workerSettings({ snapshotTurns: Infinity }).snapshotTurns).toBe(Infinity);
  });

  it("refuse more inputs of one agent than of its partition", () => {
    const why = "keyWindowMax is 9; it must be at most windowMax, 8.";
    expect(() => workerSettings({ windowMax: 8, keyWindowMax: 9 })).toThrow(why);
    expect(workerSettings({ windowMax: 8 }).keyWindowMax).toBe(1);
  });

  it("take their default when they are undefined", () => {
    const options = {
      windowMax: undefined,
      retry: { delayMs: undefined },
      timings: { heartbeatMs: undefined },
    } as unknown as WorkerOptions;
    expect(workerSettings(options)).toEqual(workerSettingsDefault);
  });

  it("refuse another way to end than there is", () => {
    const odd = { exhausted: "forget" } as unknown as RetryPolicy;
    const why = 'retry.exhausted is forget; it must be "dead-letter" or "park".';
    expect(() => workerSettings({ retry: odd })).toThrow(why);
    expect(() => agent("a").on("b", z.null(), () => null, { retry: odd })).toThrow(
      `Agent a, b: ${why}`,
    );
  });

  it("are looked at before the worker starts, and those of a message when it is declared", async () => {
    const idle = agent("idle").on("wait", z.null(), () => null);
    await using troupe = createTroupe(createMemoryBroker().connect());
    await expect(troupe.work(idle, { windowMax: 0 })).rejects.toThrow("windowMax is 0");
    expect(await troupe.log.manifests()).toEqual([]);
    expect(() => idle.on("hurry", z.null(), () => null, { retry: { timeoutMs: 0 } })).toThrow(
      "Agent idle, hurry: retry.timeoutMs is 0; it must be a number of at least 1.",
    );
  });
});
