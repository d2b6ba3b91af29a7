/** Compares what a turn did with what it should do. */
import assert from "node:assert/strict";

import type { ErrorData } from "@troupe/core/log";
import type { Expectation, Outcome } from "./given.ts";

/** @throws AssertionError with the difference */
export function expectOutcome<State, Events, Reply>(
  outcome: Outcome<State, Events>,
  expected: Expectation<State, Events, Reply>,
): void {
  expectNamed(outcome, expected, [
    "events",
    "state",
    "reply",
    "sent",
    "published",
    "timers",
    "cancelled",
  ]);
}

interface WithFailure {
  readonly failure?: Partial<ErrorData> | undefined;
}

/** The failure, and the properties that are expected of it. @throws AssertionError */
export function expectNamed<Told extends WithFailure, Expected extends WithFailure>(
  outcome: Told,
  expected: Expected,
  names: readonly (keyof Expected & keyof Told)[],
): void {
  if (expected.failure === undefined) {
    const message = outcome.failure?.message;
    assert.equal(outcome.failure, undefined, `The turn failed: ${message}`);
  } else {
    assert.notEqual(outcome.failure, undefined, "The turn should have failed, and did not.");
    const counting = Object.keys(expected.failure) as (keyof ErrorData)[];
    const told = Object.fromEntries(counting.map((name) => [name, outcome.failure?.[name]]));
    assert.deepStrictEqual(told, expected.failure, "The failure is another one.");
  }
  for (const name of names) {
    if (Object.hasOwn(expected, name)) assert.deepStrictEqual(outcome[name], expected[name]);
  }
}
