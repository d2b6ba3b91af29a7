/**
 * Step records that the log refuses for good: a result that somebody counts on is recorded (STEP-2,
 * STEP-3).
 */
import assert from "node:assert/strict";

import type { AgentReference, TroupeError } from "@troupe/core";
import { agent } from "@troupe/core";
import { LogRefusedError } from "@troupe/core/errors";
import type { Log } from "@troupe/core/log";
import { turnsOf, decodeJournalRecord } from "@troupe/core/operate";
import type { LogCheck } from "../log-harness.ts";
import { rejectsWith } from "../observe.ts";
import { anything, lettersOf } from "./ledger.ts";
import { Stage } from "./stage.ts";
import type { Tamper } from "./tampered-log.ts";

/** The log refuses so many step records, each after `before`. */
function refusesSteps(count: number, before: () => Promise<void> = async () => undefined): Tamper {
  let left = count;
  return (log) => ({
    commit: async (turns) => {
      const [first] = turns;
      const record = first && decodeJournalRecord(first.record);
      // One without steps only makes the ground firm.
      const hasSteps = record?.kind === "steps" && record.steps.steps.length > 0;
      if (!hasSteps || left-- <= 0) return log.commit(turns);
      await before();
      throw new LogRefusedError("No steps are taken, says the check.");
    },
  });
}

/** The log refuses every record in which this step is. */
function refusesStep(name: string): Tamper {
  return (log) => ({
    commit: async (turns) => {
      const [first] = turns;
      const decoded = first && decodeJournalRecord(first.record);
      const isThere =
        decoded?.kind === "steps" && decoded.steps.steps.some((step) => step.name === name);
      if (isThere) throw new LogRefusedError("That step is not taken, says the check.");
      return log.commit(turns);
    },
  });
}

const alice = "alice";

async function stepsOf(
  log: Log,
  { type }: AgentReference<unknown>,
): Promise<readonly (readonly string[])[]> {
  const names: (readonly string[])[] = [];
  for await (const { steps } of turnsOf(log, { type, key: alice })) {
    names.push(steps.map(({ name }) => name));
  }
  return names;
}

export const refusedStepChecks: readonly LogCheck[] = [
  {
    name: "STEP-2: a step whose record was refused while its run was given up is recorded by the next run",
    async run(harness) {
      await using stage = new Stage(harness);
      const again = Promise.withResolvers<void>();
      let charges = 0;
      let runs = 0;
      const shop = agent("shop").on(
        "buy",
        anything<null>(),
        async (ctx) => {
          runs += 1;
          const charged = ctx.step("charge", async () => ++charges);
          // The record of the first run is on its way until the second run asks for its step.
          if (runs > 1) again.resolve();
          return charged;
        },
        { retry: { timeoutMs: 100 } },
      );
      const { troupe } = await stage.host(shop, { tamper: refusesSteps(1, () => again.promise) });
      assert.equal(await troupe.agent(shop, alice).buy(null), 1);
      assert.equal(charges, 1);
      assert.deepEqual(await stepsOf(await stage.log(), shop), [["charge"]]);
    },
  },
  {
    name: "STEP-2: a step whose record is always refused is one dead letter, its effect happens once",
    async run(harness) {
      await using stage = new Stage(harness);
      let charges = 0;
      let runs = 0;
      const shop = agent("shop")
        .on("buy", anything<null>(), async (ctx) => {
          runs += 1;
          // A handler that is tried again for something else hears of it again.
          await ctx
            .step("charge", async () => ++charges)
            .catch((refused: unknown) => {
              throw runs < 3 ? new Error("something else") : refused;
            });
        })
        .on("look", anything<null>(), () => "here");
      const { troupe } = await stage.host(shop, { tamper: refusesSteps(Infinity) });
      await rejectsWith(troupe.agent(shop, alice).buy(null), "remote-turn-failed");
      assert.equal(await troupe.agent(shop, alice).look(null), "here");
      assert.deepEqual([charges, runs], [1, 3]);
      assert.deepEqual(await lettersOf(await stage.log()), ["log-refused"]);
    },
  },
  {
    name: "STEP-3: what a handler drew is recorded although the log refused the step that it went with",
    async run(harness) {
      await using stage = new Stage(harness);
      const shop = agent("shop").on("buy", anything<null>(), async (ctx) => {
        ctx.id();
        await ctx.step("price", () => 7);
        await ctx.step("advertise", async () => null).catch(() => undefined);
        await ctx.step("charge", async () => null);
      });
      const { troupe } = await stage.host(shop, { tamper: refusesStep("advertise") });
      await troupe.agent(shop, alice).buy(null);
      assert.deepEqual(await stepsOf(await stage.log(), shop), [["~id", "price", "charge"]]);
    },
  },
  {
    name: "I7: steps that are too large together are recorded in as many appends as it takes",
    async run(harness) {
      await using stage = new Stage(harness);
      const bytes = Math.floor((await stage.log()).limits.payloadBytesMax / 3);
      let effects = 0;
      const crawler = agent("crawler").on("fetch", anything<null>(), async (ctx) => {
        // All of them end at the same moment.
        const begun = Promise.withResolvers<void>();
        const pages = Array.from({ length: 8 }, (_, page) =>
          ctx.step(`page ${page}`, async () => {
            effects += 1;
            await begun.promise;
            return "x".repeat(bytes);
          }),
        );
        begun.resolve();
        return (await Promise.all(pages)).length;
      });
      const { troupe } = await stage.host(crawler);
      assert.equal(await troupe.agent(crawler, alice).fetch(null), 8);
      assert.equal(effects, 8);
      const [steps = []] = await stepsOf(await stage.log(), crawler);
      assert.deepEqual(
        steps.toSorted(),
        Array.from({ length: 8 }, (_, page) => `page ${page}`),
      );
    },
  },
  {
    name: "I7: a step that is too large alone is refused by name, its neighbours are recorded",
    async run(harness) {
      await using stage = new Stage(harness);
      const { payloadBytesMax } = (await stage.log()).limits;
      const crawler = agent("crawler").on("fetch", anything<null>(), async (ctx) => {
        const begun = Promise.withResolvers<void>();
        const step = (name: string, bytes: number): Promise<string> =>
          ctx
            .step(name, async () => {
              await begun.promise;
              return "x".repeat(bytes);
            })
            .then(
              () => "recorded",
              (thrown: unknown) => (thrown as TroupeError).code,
            );
        const pages = [step("a", 10), step("b", payloadBytesMax + 1), step("c", 10)];
        begun.resolve();
        return Promise.all(pages);
      });
      const { troupe } = await stage.host(crawler);
      const outcomes = await troupe.agent(crawler, alice).fetch(null);
      assert.deepEqual(outcomes, ["recorded", "step-too-large", "recorded"]);
      const [steps = []] = await stepsOf(await stage.log(), crawler);
      assert.deepEqual(steps.toSorted(), ["a", "c"]);
    },
  },
];
