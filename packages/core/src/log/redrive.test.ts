import { expect, it, vi } from "vitest";
import { z } from "zod";

import type { DeadLetter, Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { redrive } from "@troupe/core/operate";
import { createMemoryBroker, overlay } from "@troupe/testing";

let isBroken = true;
const done = vi.fn<(id: string) => void>();

const desk = agent("desk").on("work", z.string(), (_, id) => {
  if (isBroken) throw new Error(`${id} is broken`);
  done(id);
});

const quick = { timings: { joinDelayMs: 0 }, retry: { attemptsMax: 1 } } as const;

interface PlacedLetter {
  readonly position: number;
  readonly deadLetter: DeadLetter;
}

async function lettersOn(log: Log): Promise<readonly PlacedLetter[]> {
  const entries = await Array.fromAsync(log.follow({ from: 1, untilNow: true }));
  return entries.filter((entry) => entry.kind === "dead-letter");
}

async function redriveOn(log: Log, { deadLetter, position }: PlacedLetter) {
  const original = await log.input(deadLetter.inputPosition);
  if (original === undefined || deadLetter.agent === undefined) throw new Error("no original");
  return redrive(log, { position, agent: deadLetter.agent, original });
}

it("a redrive that was broken off is finished when the log knows no ids any more", async () => {
  isBroken = true;
  done.mockClear();
  const broker = createMemoryBroker({ duplicates: { idsMax: 0, ageMsMax: 0 } });
  await using troupe = createTroupe(broker.connect());
  const { log } = troupe;
  await troupe.work(desk, quick);
  await troupe.send(desk, "a").work("job");
  await vi.waitFor(async () => expect(await lettersOn(log)).toHaveLength(1));
  const [letter] = await lettersOn(log);
  isBroken = false;

  const brokenOff = overlay(log, {
    removeDeadLetter: () => Promise.reject(new LogUnavailableError("No answer, for this check.")),
  });
  await expect(redriveOn(brokenOff, letter!)).rejects.toBeInstanceOf(LogUnavailableError);
  await vi.waitFor(() => expect(done.mock.calls).toEqual([["job"]]));
  expect(await redriveOn(log, letter!)).toMatchObject({ duplicate: true });
  expect(await lettersOn(log)).toEqual([]);
  expect(await redriveOn(log, letter!)).toBeUndefined();
  await troupe.agent(desk, "a").work("last");
  expect(done.mock.calls).toEqual([["job"], ["last"]]);
});
