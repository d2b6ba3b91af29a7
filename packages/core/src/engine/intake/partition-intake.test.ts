import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { Input, Log, ReadRequest } from "@troupe/core/log";
import { agent } from "@troupe/core";
import { inputBytes } from "@troupe/core/log";

import type { WindowPlace } from "../runtime/delivery.ts";
import { agentRuntime } from "../runtime/agent-runtime.ts";
import { Lending } from "./lending.ts";
import type { TakenType } from "./partition-intake.ts";
import { PartitionIntake } from "./partition-intake.ts";

const windowMax = 8;

/** An intake, the requests that it made to the log, and the inputs that it handed over. */
function intakeOf(): {
  readonly intake: PartitionIntake;
  readonly requests: ReadRequest[];
  readonly grant: ReturnType<typeof vi.fn>;
  readonly delivered: { readonly type: string; readonly place: WindowPlace }[];
  readonly bring: (position: number, address?: Input["address"]) => void;
  /** Topics that newer code subscribes to. */
  readonly topics: string[];
  readonly known: { upTo: number; isFresh: boolean; readonly waiting: (() => void)[] };
} {
  const topics: string[] = [];
  const known = { upTo: Infinity, isFresh: true, waiting: [] as (() => void)[] };
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
        get isFresh() {
          return known.isFresh;
        },
        topicsOf: (runtime) => [...runtime.topics, ...topics],
        whenFresh: (then) => known.waiting.push(then),
        waits: () => undefined,
        routingOf: (runtime, { address }) =>
          runtime.topics.includes(address.name) ? "handle" : "pass",
      },
      footing: { read: () => undefined, passed: (position) => Math.min(position, known.upTo) },
      lost: () => undefined,
      lending: new Lending({ inputsMax: 4, bytesMax: 1_000_000 }),
      deliver: ({ type }, _, __, place) => void delivered.push({ type, place }),
      bury: (_, done) => done(),
    },
    0,
  );
  const bring = (position: number, address?: Input["address"]): void =>
    requests.at(-1)?.onInput(inputAt(position, address));
  return { intake, requests, grant, delivered, bring, topics, known };
}

function inputAt(position: number, address?: Input["address"]): Input {
  return {
    address: address ?? { kind: "topic", name: "news", key: `key-${position}` },
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

  it("starts its reader again for a type that it does not read for, or that is behind", () => {
    const { bring, intake, requests } = intakeOf();
    intake.take([taken("first", 3)]);
    bring(4);
    intake.take([taken("ahead", 7)]);
    intake.release("ahead");
    intake.take([taken("ahead", 7)]);
    expect(requests.map(({ after }) => after)).toEqual([3, 4]);
    intake.take([taken("behind", 2)]);
    expect(requests.map(({ after, types }) => [after, types])).toEqual([
      [3, ["first"]],
      [4, ["first", "ahead"]],
      [2, ["first", "ahead", "behind"]],
    ]);
  });

  it("reads less when what comes is for a type that was released", () => {
    const { bring, intake, requests } = intakeOf();
    const message = { kind: "agent", name: "leaves", key: "a" } as const;
    intake.take([taken("stays", 0), taken("leaves", 0)]);
    intake.release("leaves");
    bring(1);
    expect(requests).toHaveLength(1);
    bring(2, message);
    expect(requests.map(({ after, types }) => [after, types])).toEqual([
      [0, ["stays", "leaves"]],
      [2, ["stays"]],
    ]);
  });

  it("INTAKE-1: reads for a topic that newer code subscribes to as soon as it is known", () => {
    const { bring, intake, requests, topics } = intakeOf();
    intake.take([taken("first", 3)]);
    bring(5);
    intake.refit();
    expect(requests).toHaveLength(1);
    topics.push("extra");
    intake.refit();
    expect(requests.map((request) => [request.after, request.topics])).toEqual([
      [3, ["news"]],
      [5, ["news", "extra"]],
    ]);
  });

  it("INTAKE-2, INTAKE-3: follows what is passed while its manifests are fresh, as far as the log is known", () => {
    const { bring, delivered, intake, known, requests } = intakeOf();
    intake.take([taken("first", 3)]);
    const pass = (position: number): void => requests.at(-1)?.onPassed?.(position);
    pass(20);
    expect(intake.floorOf("first")).toBe(20);
    known.upTo = 25;
    pass(40);
    expect(intake.floorOf("first")).toBe(25);
    known.isFresh = false;
    known.upTo = 100;
    pass(50);
    bring(60);
    bring(70);
    expect(delivered).toEqual([]);
    expect(intake.floorOf("first")).toBe(25);
    known.isFresh = true;
    for (const then of known.waiting) then();
    expect(
      delivered.map(({ place }) => (place as WindowPlace & { position: number }).position),
    ).toEqual([60, 70]);
    expect(requests).toHaveLength(1);
  });

  it("INTAKE-2: reads again what came while its manifests were not fresh, when a topic was added", () => {
    const { bring, delivered, intake, known, requests, topics } = intakeOf();
    intake.take([taken("first", 3)]);
    known.isFresh = false;
    bring(10);
    topics.push("extra");
    intake.refit();
    known.isFresh = true;
    for (const then of known.waiting) then();
    expect(delivered).toEqual([]);
    expect(requests.map(({ after }) => after)).toEqual([3, 3]);
  });

  it("has no more than a window in memory when its reader starts again (I7)", () => {
    const { bring, delivered, grant, intake, requests } = intakeOf();
    intake.take([taken("first", 3)]);
    for (const position of [4, 5, 6]) bring(position);
    intake.take([taken("behind", 2)]);
    expect(requests.at(-1)?.credit).toBe(windowMax - 3);
    // Inputs of the earlier reader return their credit to this one.
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
