/**
 * Memory of an idle agent: its state, and nothing of the turns that it did (I7). Measured after a
 * full collection; leftovers of turns would be many times the bound.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { Agent } from "@troupe/core";
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const agents = 200;
const stepBytes = 200_000;

function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}

/** A text of its own for every agent, that the heap holds in one piece. */
function large(key: string): string {
  return Buffer.alloc(stepBytes, `${key} `).toString("latin1");
}

async function grownMb(
  definition: Agent<unknown, unknown, { go: { input: null; reply: unknown } }>,
): Promise<number> {
  const broker = createMemoryBroker({ partitions: 2 });
  await using troupe = createTroupe(broker.connect());
  const idle = new Set<string>();
  await troupe.work(definition, { retry: { attemptsMax: 1 }, timings: { joinDelayMs: 0 } });
  const ask = (key: string): Promise<unknown> =>
    troupe
      .agent(definition, key, { timeoutMs: 60_000 })
      .go(null)
      .then(
        () => idle.add(key),
        () => idle.add(key),
      );
  await ask("first");
  const beforeMb = heapMb();
  for (let i = 0; i < agents; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => ask(`k${i + j}`)));
  }
  expect(idle.size).toBe(agents + 1);
  // Bytes of records are outside of the heap.
  return heapMb() - beforeMb;
}

describe("an idle agent", () => {
  it("keeps no values of the steps of its turns", async () => {
    const stepping = agent("stepping").on("go", z.null(), async (ctx) => {
      await ctx.step("model", async () => large(ctx.agent.key));
    });
    expect(await grownMb(stepping)).toBeLessThan(10);
  });

  it("that is parked leaves memory with the steps of the message it stands at", async () => {
    const failing = agent("failing").on(
      "go",
      z.null(),
      async (ctx) => {
        await ctx.step("model", async () => large(ctx.agent.key));
        throw new Error("no");
      },
      { retry: { exhausted: "park" } },
    );
    expect(await grownMb(failing)).toBeLessThan(10);
  });
});
