/** An operator sees what failed and who is parked, and resumes it, without the command. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { agent, createTroupe, Reject } from "@troupe/core";
import { deadLetters, parkedAgent, parkedAgents } from "@troupe/core/operate";
import { resumeDraft, resumptionOutcome, type PlacedLetter } from "@troupe/core/operate";
import { createMemoryBroker } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0 }, retry: { attemptsMax: 1, delayMs: 1 } } as const;
let isBroken = true;

const clerk = agent("clerk")
  .on("refuse", z.object({}), () => {
    throw new Reject("never");
  })
  .on(
    "note",
    z.object({}),
    () => {
      if (isBroken) throw new Error("broken");
    },
    { retry: { exhausted: "park" } },
  );

test("dead letters are listed by code, parked agents with what waits, until they are resumed", async () => {
  await using troupe = createTroupe(createMemoryBroker().connect());
  await troupe.work(clerk, quick);
  const listed = async (...codes: string[]): Promise<readonly PlacedLetter[]> =>
    Array.fromAsync(deadLetters(troupe, codes.length === 0 ? {} : { codes }));

  await troupe.send(clerk, "bob").refuse({});
  await troupe.send(clerk, "alice").note({});
  await troupe.send(clerk, "alice").note({});
  await vi.waitFor(async () => expect(await listed()).toHaveLength(2));
  expect((await listed("rejected")).map(({ deadLetter }) => deadLetter.agent?.key)).toEqual([
    "bob",
  ]);
  await vi.waitFor(async () =>
    expect(await parkedAgents(troupe)).toMatchObject([
      { agent: { type: "clerk", key: "alice" }, waiting: 1, failure: { message: "Error: broken" } },
    ]),
  );
  expect(await parkedAgent(troupe.log, { type: "clerk", key: "bob" })).toBeUndefined();

  isBroken = false;
  const [parked] = await parkedAgents(troupe);
  if (parked === undefined) throw new Error("nobody is parked");
  const { position: marker } = await troupe.log.accept(resumeDraft(parked.agent));
  const outcome = await resumptionOutcome(troupe, { parked, marker }, AbortSignal.timeout(20_000));
  expect(outcome).toMatchObject({ isResumed: true });
  expect(await parkedAgents(troupe)).toEqual([]);
});
