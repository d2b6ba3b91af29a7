import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Agenda } from "./agenda.ts";
import { chanceOf } from "./chance.ts";
import { drained } from "./drained.ts";

describe("the agenda", () => {
  test("lets everything happen in the order of its time, then of its making", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), (delays) => {
        const agenda = new Agenda(() => undefined);
        const happened: { readonly delay: number; readonly index: number }[] = [];
        for (const [index, delay] of delays.entries()) {
          agenda.add("entry", delay, () => happened.push({ delay, index }));
        }
        while (agenda.step());
        const expected = delays
          .map((delay, index) => ({ delay, index }))
          .toSorted((a, b) => a.delay - b.delay || a.index - b.index);
        expect(happened).toEqual(expected);
      }),
    );
  });

  test("jumps to the time of what happens", () => {
    const agenda = new Agenda(() => undefined);
    const startMs = agenda.now();
    agenda.add("later", 3_600_000, () => undefined);
    agenda.step();
    expect(agenda.now() - startMs).toBe(3_600_000);
  });

  test("counts a clock's timers until they fire or are cancelled", () => {
    const agenda = new Agenda(() => undefined);
    const clock = agenda.clock("someone");
    clock.after(1, () => undefined);
    const cancel = clock.after(2, () => undefined);
    expect(clock.pending).toBe(2);
    agenda.step();
    cancel();
    cancel();
    expect(clock.pending).toBe(0);
  });

  test("fires no timer of a clock that stopped", () => {
    const agenda = new Agenda(() => undefined);
    const clock = agenda.clock("someone");
    let fired = 0;
    clock.after(1, () => (fired += 1));
    clock.stop();
    while (agenda.step());
    expect(fired).toBe(0);
  });
});

test("a seed's chance is the same for the same purpose and differs between purposes", () => {
  const numbers = (seed: number, purpose: string): number[] => {
    const { next } = chanceOf(seed, purpose);
    return Array.from({ length: 5 }, () => next());
  };
  expect(numbers(7, "travel")).toEqual(numbers(7, "travel"));
  expect(numbers(7, "travel")).not.toEqual(numbers(7, "faults"));
  expect(numbers(7, "travel")).not.toEqual(numbers(8, "travel"));
});

test("drained waits for reactions to reactions", async () => {
  let depth = 0;
  const deeper = async (): Promise<void> => {
    depth += 1;
    if (depth < 50) await Promise.resolve().then(deeper);
  };
  void deeper();
  await drained();
  expect(depth).toBe(50);
});
