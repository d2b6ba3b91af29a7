import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { Input, Log, ReadRequest } from "@troupe/core";
import { agent, inputBytes } from "@troupe/core";

import type { WindowPlace } from "../mailbox/delivery.ts";
import { agentRuntime } from "./agent-runtime.ts";
import { Lending } from "./lending.ts";
import type { TakenType } from "./partition-intake.ts";
import { PartitionIntake } from "./partition-intake.ts";

const windowMax = 8;

/** An intake, the requests that it made to the log, and what it handed over. */
function intakeOf(): {
  readonly intake: PartitionIntake;
  readonly requests: ReadRequest[];
  readonly grant: ReturnType<typeof vi.fn>;
  readonly delivered: { readonly type: string; readonly place: WindowPlace }[];
  readonly bring: (position: number) => void;
} {
  const requests: ReadRequest[] = [];
  const delivered: { type: string; place: WindowPlace }[] = [];
  const grant = vi.fn<(count: number) => void>();
  const read: Log["read"] = (request) => {
    requests.push(request);
    return { grant, stop: () => Promise.resolve() };
  };
  const intake = new PartitionIntake(
    {
      log: { read } as Log,
      windowMax,
      windowBytes: 1_000_000,
      knowledge: {
        isFresh: true,
        whenFresh: () => undefined,
        waits: () => undefined,
        verdict: ({ topics }, { address }) => (topics.includes(address.name) ? "handle" : "pass"),
      },
      footing: { read: () => undefined },
      lost: () => undefined,
      lending: new Lending({ inputsMax: 4, bytesMax: 1_000_000 }),
      deliver: ({ type }, _, __, place) => void delivered.push({ type, place }),
      bury: (_, done) => done(),
    },
    0,
  );
  const bring = (position: number): void => requests.at(-1)?.onInput(inputAt(position));
  return { intake, requests, grant, delivered, bring };
}

function inputAt(position: number): Input {
  return {
    address: { kind: "topic", name: "news", key: `key-${position}` },
    metadata: {},
    payload: new Uint8Array(0),
    position,
    acceptedAtMs: 0,
  };
}

function taken(type: string, after: number): TakenType {
  const definition = agent(type).subscribe(
    { kind: "topic", name: "news", schema: z.any() },
    () => undefined,
  );
  return { runtime: agentRuntime(definition), after };
}

describe("the intake of a partition", () => {
  it("starts its reader once for all types that are taken together", () => {
    const { intake, requests } = intakeOf();
    intake.take([taken("early", 3), taken("late", 9)]);
    expect(requests.map(({ after, credit }) => [after, credit])).toEqual([[3, windowMax]]);
  });

  it("starts its reader again only for a type that is behind", () => {
    const { bring, intake, requests } = intakeOf();
    intake.take([taken("first", 3)]);
    bring(4);
    intake.take([taken("ahead", 7)]);
    expect(requests).toHaveLength(1);
    intake.take([taken("behind", 2)]);
    expect(requests.map(({ after }) => after)).toEqual([3, 2]);
  });

  it("has no more than a window in memory when its reader starts again (I7)", () => {
    const { bring, delivered, grant, intake, requests } = intakeOf();
    intake.take([taken("first", 3)]);
    for (const position of [4, 5, 6]) bring(position);
    intake.take([taken("behind", 2)]);
    expect(requests.at(-1)?.credit).toBe(windowMax - 3);
    // What the reader before brought returns its credit to this one.
    for (const { place } of delivered) place.done();
    expect(grant.mock.calls).toEqual([1, 2, 3].map(() => [1, inputBytes(0)]));
  });

  it("keeps the credit of an input until all its types are done with it, or gone", () => {
    const { bring, delivered, grant, intake } = intakeOf();
    intake.take([taken("stays", 0), taken("leaves", 0)]);
    bring(1);
    bring(2);
    for (const { place, type } of delivered) if (type === "stays") place.done();
    expect(grant).not.toHaveBeenCalled();
    const tracker = intake.release("leaves");
    expect(grant).toHaveBeenCalledTimes(2);
    expect([tracker?.floor, intake.floorOf("stays")]).toEqual([0, 2]);
    // They finish all the same, and nothing returns twice.
    for (const { place, type } of delivered) if (type === "leaves") place.done();
    expect(tracker?.floor).toBe(2);
    expect(grant).toHaveBeenCalledTimes(2);
  });

  it("shares one window among all keys that are behind, and keeps the floor below them (I7)", () => {
    const { bring, delivered, intake } = intakeOf();
    intake.take([taken("first", 0)]);
    for (const position of [1, 2, 3, 4]) bring(position);
    const [one, two, three, four] = delivered.map(({ place }) => place);
    const shares = [one?.standFor(1), two?.standFor(2), three?.standFor(3)];
    expect(shares).toEqual([
      { inputs: 8, bytes: 1_000_000 },
      { inputs: 4, bytes: 500_000 },
      { inputs: 2, bytes: 333_333 },
    ]);
    four?.done();
    expect(intake.floorOf("first")).toBe(0);
    one?.standFor(10);
    expect(intake.floorOf("first")).toBe(1);
    two?.done();
    three?.standFor(20);
    expect(intake.floorOf("first")).toBe(4);
    three?.done();
    one?.done();
  });

  it("gives the room of an input that waits to others, as far as it may lend (I7)", () => {
    const { bring, delivered, grant, intake } = intakeOf();
    intake.take([taken("first", 0)]);
    for (const position of [1, 2, 3, 4, 5]) bring(position);
    const places = delivered.map(({ place }) => place);
    expect(places.map((place) => place.lend())).toEqual([true, true, true, true, false]);
    expect(grant).toHaveBeenCalledTimes(4);
    expect(intake.floorOf("first"), "what is lent is not handled").toBe(0);
    places[0]?.done();
    expect(places[4]?.lend(), "what was lent comes back").toBe(true);
    for (const place of places) place.done();
    expect(grant).toHaveBeenCalledTimes(5);
    expect(intake.floorOf("first")).toBe(5);
  });
});
