/** Compares what a turn did with what it should do. */
import assert from "node:assert/strict";

import type { Expectation, Outcome } from "./given.ts";

/** @throws AssertionError with the difference */
export function expectOutcome<State, Events, Reply>(
  outcome: Outcome<State, Events>,
  expected: Expectation<State, Events, Reply>,
): void {
  if (expected.failure === undefined) {
    const message = outcome.failure?.message;
    assert.equal(outcome.failure, undefined, `The turn failed: ${message}`);
  } else {
    assert.notEqual(outcome.failure, undefined, "The turn should have failed, and did not.");
    const names = Object.keys(expected.failure) as (keyof typeof expected.failure)[];
    const told = Object.fromEntries(names.map((name) => [name, outcome.failure?.[name]]));
    assert.deepStrictEqual(told, expected.failure, "The failure is another one.");
  }
  for (const name of [
    "events",
    "state",
    "reply",
    "sent",
    "published",
    "timers",
    "cancelled",
  ] as const) {
    if (Object.hasOwn(expected, name)) assert.deepStrictEqual(outcome[name], expected[name]);
  }
}
