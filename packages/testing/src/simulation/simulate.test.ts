import { describe, expect, test } from "vitest";
import { z } from "zod";

import { agent, Reject } from "@troupe/core";
import { faultPlan } from "./fault-plan.ts";
import { chanceOf } from "./chance.ts";
import { simulateSeeds, SimulationFailedError } from "./simulate-seeds.ts";
import { simulate } from "./simulate.ts";
import type { System } from "./system.ts";

const add = z.object({ amount: z.number() });

const tally = agent("tally")
  .state({ total: 0 })
  .event("added", add, ({ total }, { amount }) => ({ total: total + amount }))
  .on("add", add, async (ctx, { amount }) => {
    await Promise.resolve();
    ctx.emit.added({ amount });
    return ctx.state.total;
  });

const adding: System = {
  agents: tally,
  drive: (client, stage) =>
    stage.times(10, async (index, chance) => {
      await client.send(tally, chance.pick(["a", "b"])).add({ amount: index });
    }),
};

/** Fails when action 3 happened and a worker crashed. */
const touchy: System = {
  ...adding,
  faults: { only: ["crash", "slow"] },
  check: (history) => {
    const payloads = [...history.inputs.values()].map((input) => history.payload(input));
    const worker = history.turns(tally, "a").concat(history.turns(tally, "b"));
    const workers = new Set(worker.map(({ record }) => record.worker));
    const has3 = payloads.some((payload) => (payload as z.infer<typeof add>).amount === 3);
    if (has3 && workers.size > 2) throw new Error("three workers, and a three");
  },
};

describe("a run", () => {
  test("is the same for the same seed, step by step", async () => {
    const steps = async (): Promise<string[]> => {
      const lines: string[] = [];
      const run = await simulate({ ...adding, seed: 5, onStep: (line) => lines.push(line) });
      return [...lines, run.digest, JSON.stringify(run.events)];
    };
    expect(await steps()).toEqual(await steps());
  });

  test("differs between seeds", async () => {
    const first = await simulate({ ...adding, seed: 1 });
    const second = await simulate({ ...adding, seed: 2 });
    expect(first.digest).not.toBe(second.digest);
  });

  test("finds nothing where nothing is wrong", async () => {
    expect(await simulateSeeds({ ...adding, count: 20 })).toMatchObject({ runs: 20 });
  });

  test("finds nothing wrong with handlers that throw at once", async () => {
    const always = agent("always").on("try", add, () => {
      throw new Reject("no");
    });
    const drive: System["drive"] = (client, stage) =>
      stage.times(9, async (index) => client.send(always, `key-${index}`).try({ amount: index }));
    const summary = await simulateSeeds({ agents: always, drive, count: 20 });
    expect(summary).toMatchObject({ runs: 20 });
  });

  test("tells when something is never handled, and what", async () => {
    const drive: System["drive"] = async (client, stage) => {
      await stage.stopWorkers();
      await client.send(tally, "a").add({ amount: 1 });
    };
    const run = await simulate({ ...adding, drive, seed: 1 });
    expect(run.findings[0]).toMatchObject({
      rule: "stuck",
      what: expect.stringContaining("tally/a@1 is not handled"),
    });
  });

  test("tells when the drive waits for something outside of the simulation", async () => {
    const { promise } = Promise.withResolvers<void>();
    const run = await simulate({ ...adding, drive: () => promise, stepsMax: 500, seed: 1 });
    expect(run.findings[0]?.what).toContain("the drive still waits");
  });

  test("tells when the drive fails", async () => {
    const drive = (): Promise<void> => Promise.reject(new Error("no way"));
    const run = await simulate({ ...adding, drive, seed: 1 });
    expect(run.findings).toContainEqual({ rule: "drive", what: "Error: no way" });
  });

  test("takes days of virtual time at once", async () => {
    const dayMs = 86_400_000;
    const drive: System["drive"] = async (client, stage) => {
      await stage.stopWorkers();
      await stage.wait(3 * dayMs);
      stage.startWorkers();
      await client.agent(tally, "a", { timeoutMs: dayMs }).add({ amount: 1 });
    };
    const run = await simulate({ ...adding, drive, seed: 1 });
    expect(run.findings).toEqual([]);
    expect(run.elapsedMs).toBeGreaterThan(3 * dayMs);
  });
});

test("a failing seed tells its shortest history and the command that runs it again", async () => {
  const again = (seed: number): string => `again ${seed}`;
  const failure = await simulateSeeds({ ...touchy, count: 200, again }).catch(
    (thrown: unknown) => thrown,
  );
  expect(failure).toBeInstanceOf(SimulationFailedError);
  if (!(failure instanceof SimulationFailedError)) return;
  expect(failure.run.faults.length).toBeLessThanOrEqual(1);
  expect(failure.run.actions).toContain(3);
  expect(failure.run.actions.length).toBeLessThan(10);
  expect(failure.message).toContain("check: Error: three workers, and a three");
  expect(failure.message).toContain(`Run it again: again ${failure.seed}`);
});

test("a plan brings only the kinds that have a weight", () => {
  for (let seed = 0; seed < 50; seed++) {
    const slow = faultPlan(chanceOf(seed, "faults"), 2, { only: ["slow"] });
    expect(slow.every(({ kind }) => kind === "slow")).toBe(true);
    const others = faultPlan(chanceOf(seed, "faults"), 2, { slow: 0 });
    expect(others.some(({ kind }) => kind === "slow")).toBe(false);
    expect(faultPlan(chanceOf(seed, "faults"), 2, { faultsMax: 0 })).toEqual([]);
  }
});
