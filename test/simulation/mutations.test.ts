/** The simulation notices a log that lies: each defect makes it fail within 200 seeds. */
import { simulate, simulateSeeds, SimulationFailedError } from "@troupe/testing";
import type { System } from "@troupe/testing";
import { describe, expect, test } from "vitest";

import type { Sabotage } from "./sabotage.ts";
import {
  withoutAtomicity,
  withoutBases,
  withoutCancels,
  withoutCellFence,
  withoutDeferred,
  withoutEarlierRedrives,
  withoutEnds,
  withoutErasedInputs,
  withoutFence,
  withoutLastRecords,
  withoutLimits,
  withoutOriginals,
  withoutParkings,
  withoutRecognition,
  withoutSteps,
  withoutTimersInCommit,
  withoutTombstones,
  withoutTopics,
  withForgottenTurns,
  withGreedyErasures,
  withGreedyPrefixes,
  withGreedyRecords,
  withLateEnds,
  withMissingBases,
  withShrinkingManifests,
  withStaleBase,
  withTimersTwice,
  withUnreadPassed,
} from "./sabotage.ts";
import { simulateAgain } from "./systems.ts";
import { bankTransfer } from "./systems/bank-transfer.ts";
import { charge } from "./systems/charge.ts";
import { erased } from "./systems/erased.ts";
import { hotKey } from "./systems/hot-key.ts";
import { limits } from "./systems/limits.ts";
import { operated } from "./systems/operated.ts";
import { oversized } from "./systems/oversized.ts";
import { parking } from "./systems/parking.ts";
import { pipelineSystem } from "./systems/pipeline.ts";
import { poison } from "./systems/poison.ts";
import { pools } from "./systems/pools.ts";
import { prefix } from "./systems/prefix.ts";
import { retention } from "./systems/retention.ts";
import { timers } from "./systems/timers.ts";
import { versions } from "./systems/versions.ts";

const seedsMax = 200;

const defects = { withoutAtomicity, withoutFence, withoutRecognition };
const systems = { bankTransfer, hotKey, pipelineSystem, poison };

describe.each(Object.entries(defects))("the simulation notices a log %s", (_, sabotage) => {
  test.each(Object.entries(systems))("with the system %s", async (_name, system) => {
    await expectFailure(system, sabotage);
  });
});

test("the simulation notices a log withoutSteps", async () => {
  await expectFailure(charge, withoutSteps);
});

test("the simulation notices a log withoutCellFence", async () => {
  await expectFailure(limits, withoutCellFence);
});

const timerDefects = { withoutCancels, withoutTimersInCommit, withTimersTwice };

test.each(Object.entries(timerDefects))(
  "the simulation notices a log %s, with the system timers",
  async (_, sabotage) => {
    await expectFailure(timers, sabotage);
  },
);

const parkingDefects = { withoutDeferred, withoutParkings };

test.each(Object.entries(parkingDefects))(
  "the simulation notices a log %s, with the system parking",
  async (_, sabotage) => {
    await expectFailure(parking, sabotage);
  },
);

const erasureDefects = {
  withForgottenTurns,
  withGreedyErasures,
  withoutErasedInputs,
  withoutTombstones,
};

test.each(Object.entries(erasureDefects))(
  "the simulation notices a log %s, with the system erased",
  async (_, sabotage) => {
    await expectFailure(erased, sabotage);
  },
);

const readingDefects = { withoutTopics, withUnreadPassed };

test.each(Object.entries(readingDefects))(
  "the simulation notices a log %s, with the system pools",
  async (_, sabotage) => {
    await expectFailure(pools, sabotage);
  },
);

test("what is noticed is told as its shortest history, with the command that runs it again", async () => {
  const again = (seed: number): string => simulateAgain("bank-transfer", seed);
  const options = { ...bankTransfer, sabotage: withoutAtomicity, again, count: seedsMax };
  const failure = await simulateSeeds(options).catch((thrown: unknown) => thrown);
  expect(failure).toBeInstanceOf(SimulationFailedError);
  expect(String(failure)).toMatch(/ {2}(?:I\d+|check|stuck): [^]*Run it again: npm run simulate/);
});

const otherDefects = [
  ["withShrinkingManifests", versions, withShrinkingManifests],
  ["withoutLimits", oversized, withoutLimits],
  ["withoutEarlierRedrives", operated, withoutEarlierRedrives],
] as const;

test.each(otherDefects)("the simulation notices a log %s", async (_, system, sabotage) => {
  await expectFailure(system, sabotage);
});

const retentionDefects = {
  withLateEnds,
  withMissingBases,
  withoutBases,
  withoutEnds,
  withoutLastRecords,
  withStaleBase,
};

test.each(Object.entries(retentionDefects))(
  "the simulation notices a log %s, with the system retention",
  async (_, sabotage) => {
    await expectFailure(retention, sabotage);
  },
);

const prefixDefects = { withGreedyPrefixes, withGreedyRecords, withoutOriginals };

test.each(Object.entries(prefixDefects))(
  "the simulation notices a log %s, with the system prefix",
  async (_, sabotage) => {
    await expectFailure(prefix, sabotage);
  },
);

/** The first seed that fails, without looking for the shortest history of it. */
async function expectFailure(system: System, sabotage: Sabotage): Promise<void> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const { findings } = await simulate({ ...system, sabotage, seed });
    if (findings.length === 0) continue;
    for (const { rule } of findings) expect(rule).toMatch(/^(?:I\d+|check|drive|stuck)$/);
    return;
  }
  expect.unreachable(`${system.name} held for ${seedsMax} seeds`);
}
