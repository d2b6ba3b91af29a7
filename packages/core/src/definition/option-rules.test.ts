/**
 * Every number that a caller of core may set: an unusable one is refused by name before anything is
 * made or sent, and so is a name that nothing reads. The options of workers are in
 * worker-options.test.ts, those of connections in the packages of the logs.
 */
import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import {
  agent,
  createTroupe,
  limit,
  memoryModel,
  memorySink,
  pipeline,
  projection,
  topic,
} from "@troupe/core";
import { workerSettingsDefault } from "@troupe/core/engine";
import { createMemoryBroker, given, simulate, simulateSeeds } from "@troupe/testing";

const idle = agent("idle").on("wait", z.null(), () => null);
const news = topic("news", z.string());
const nothing = (): null => null;

/** Uses one option with a value of any kind. */
type Use = (troupe: Troupe, value: never) => unknown;

/** Numbers by the name that the error says; the value is refused, and the least one is not. */
const numbers: readonly (readonly [string, Use])[] = [
  ["Ask option timeoutMs", (troupe, timeoutMs) => troupe.agent(idle, "a", { timeoutMs })],
  ["Follow option from", (troupe, from) => troupe.follow({ from })],
  [
    "Stop option drainTimeoutMs",
    async (troupe, drainTimeoutMs) => {
      const worker = await troupe.work(idle, { timings: { joinDelayMs: 0 } });
      await worker.stop({ drainTimeoutMs });
    },
  ],
  ["Worker option windowMax", (troupe, windowMax) => troupe.work(idle, { windowMax })],
  [
    "Worker option handlersMaxByType.idle",
    (troupe, max) => troupe.work(idle, { handlersMaxByType: { idle: max } }),
  ],
  ...(["batchSizeMax", "batchWaitMs", "readAheadMax", "readAheadBytesMax"] as const).map(
    (name): readonly [string, Use] => [
      `Project option ${name}`,
      (troupe, value) =>
        troupe.project(
          projection(
            "p",
            memoryModel(() => 0),
          ),
          memorySink(),
          { [name]: value },
        ),
    ],
  ),
  [
    "Project option retry.attemptsMax",
    (troupe, attemptsMax) =>
      troupe.project(
        projection(
          "p",
          memoryModel(() => 0),
        ),
        memorySink(),
        { retry: { attemptsMax } },
      ),
  ],
  [
    "Agent a, go: retry.attemptsMax",
    (_, attemptsMax) => agent("a").on("go", z.null(), nothing, { retry: { attemptsMax } }),
  ],
  ...(["size", "bytes", "waitMs"] as const).map((name): readonly [string, Use] => [
    `Agent a, go: batch.${name}`,
    (_, value) =>
      agent("a").onBatch("go", z.null(), (_context, items) => items.map(nothing), {
        batch: { [name]: value },
      }),
  ]),
  ["Pipeline p: timeoutMs", (_, timeoutMs) => pipeline("p", z.null(), { timeoutMs })],
  [
    "Pipeline p, all: limit",
    (_, max) => pipeline("p", z.null()).parallel("all", { each: () => [], limit: max }, nothing),
  ],
  ...(["partitions", "journalPageMax", "inputsAtOnceMax"] as const).map(
    (name): readonly [string, Use] => [
      `Broker option ${name}`,
      (_, value) => createMemoryBroker({ [name]: value }),
    ],
  ),
  ...(["payloadBytesMax", "commitMessagesMax", "chainMin", "readersMax"] as const).map(
    (name): readonly [string, Use] => [
      `Broker option limits.${name}`,
      (_, value) => createMemoryBroker({ limits: { [name]: value } }),
    ],
  ),
  ...(["ageMsMax", "idsMax"] as const).map((name): readonly [string, Use] => [
    `Broker option duplicates.${name}`,
    (_, value) => createMemoryBroker({ duplicates: { [name]: value } }),
  ]),
  ...(["workers", "partitions", "stepsMax", "restMsMax", "seed"] as const).map(
    (name): readonly [string, Use] => [
      `Simulation option ${name}`,
      (_, value) => simulate({ ...system, seed: 1, [name]: value }),
    ],
  ),
  [
    "Simulation option faults.crash",
    (_, crash) => simulate({ ...system, seed: 1, faults: { crash } }),
  ],
  ...(["count", "from"] as const).map((name): readonly [string, Use] => [
    `Simulation option ${name}`,
    (_, value) => simulateSeeds({ ...system, [name]: value }),
  ]),
];

const system = { agents: idle, drive: () => Promise.resolve() };

describe("options that are numbers", () => {
  it.each(numbers)("refuse what is no usable number: %s", async (name, use) => {
    await using troupe = createTroupe(createMemoryBroker().connect());
    for (const value of [Number.NaN, -3, -Infinity, "5", null, {}]) {
      await expect(async () => use(troupe, value as never)).rejects.toThrow(
        expect.objectContaining({
          code: "definition",
          message: expect.stringContaining(`${name} is `),
          details: { option: name, value },
        }),
      );
    }
  });

  it("refuse a fraction of what is counted", () => {
    expect(() => createMemoryBroker({ partitions: 1.5 })).toThrow(
      "Broker option partitions is 1.5; it must be a whole number of at least 1.",
    );
  });

  it("are looked at inside a turn, where the handler hears of it", async () => {
    const odd = agent("odd")
      .on("ask", z.null(), async (ctx) => {
        await ctx.ask(idle, "a", { timeoutMs: Number.NaN }).wait(null);
      })
      .on("step", z.null(), async (ctx) => {
        await ctx.step("s", nothing, { timeoutMs: 0 });
      });
    const ask = await given(odd).when("ask", null).outcome();
    expect(ask.failure?.message).toContain("Ask option timeoutMs is NaN");
    const step = await given(odd).when("step", null).outcome();
    expect(step.failure?.message).toContain("Step option timeoutMs is 0");
  });
});

/** A slip in every place that takes options. */
const slips: readonly (readonly [string, (troupe: Troupe, slip: never) => unknown])[] = [
  ["Option ", (_, slip) => createTroupe(createMemoryBroker().connect(), slip)],
  ["Worker option ", (troupe, slip) => troupe.work(idle, slip)],
  ["Worker option retry.", (troupe, retry) => troupe.work(idle, { retry })],
  ["Worker option timings.", (troupe, timings) => troupe.work(idle, { timings })],
  ["Ask option ", (troupe, slip) => troupe.agent(idle, "a", slip)],
  ["Send option ", (troupe, slip) => troupe.send(idle, "a", slip)],
  ["Publish option ", (troupe, slip) => troupe.publish(news, "a", "b", slip)],
  ["Follow option ", (troupe, slip: object) => troupe.follow({ from: 1, ...slip })],
  [
    "Project option ",
    (troupe, slip) =>
      troupe.project(
        projection(
          "p",
          memoryModel(() => 0),
        ),
        memorySink(),
        slip,
      ),
  ],
  ["Agent a, go: ", (_, slip) => agent("a").on("go", z.null(), nothing, slip)],
  ["State of the agent a: ", (_, slip) => agent("a").state({}, slip)],
  [
    "Event a.gone: ",
    (_, slip) =>
      agent("a")
        .state({})
        .event("gone", z.null(), (s) => s, slip),
  ],
  ["Pipeline p: ", (_, slip) => pipeline("p", z.null(), slip)],
  ["Pipeline p, one: ", (_, slip) => pipeline("p", z.null()).stage("one", nothing, slip)],
  ["Limit l: ", (_, slip) => limit("l", slip)],
  ["Broker option ", (_, slip) => createMemoryBroker(slip)],
];

describe("options that nothing reads", () => {
  it.each(slips)("are refused by name: %sretries", async (what, use) => {
    await using troupe = createTroupe(createMemoryBroker().connect());
    await expect(async () => use(troupe, { retries: 3 } as never)).rejects.toThrow(
      `${what}retries does not exist; there are: `,
    );
  });

  it("but every default of a worker may be given", async () => {
    await using troupe = createTroupe(createMemoryBroker().connect());
    await expect(troupe.work(idle, workerSettingsDefault)).resolves.toBeDefined();
  });
});
