import { expect, test } from "vitest";

import { spanIdBelow, spanIdOf, traceIdOf } from "./span-ids.ts";
import { continuedTraceId, turnSpan } from "./turn-span.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

test("the span of a turn is another one for every position, agent type and trace", () => {
  const ids = new Set<string>();
  for (const traceId of [trace, `0${trace.slice(1)}`, trace.toUpperCase()]) {
    for (const type of ["a", "b", "ab", "ba", "order"]) {
      for (let position = 1; position <= 2000; position++) {
        ids.add(spanIdOf(traceId, position, type));
      }
      for (const position of [2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 53 - 1]) {
        ids.add(spanIdOf(traceId, position, type));
      }
    }
  }
  expect(ids.size).toBe(3 * 5 * 2004);
  expect([...ids].every((id) => /^[\da-f]{16}$/.test(id))).toBe(true);
});

/** Journals hold these ids, so they never change. */
test("ids are the same in every version", () => {
  expect([
    spanIdOf(trace, 1207, "order"),
    spanIdBelow("00f067aa0ba902b7", "run 2"),
    traceIdOf("AbCdEfGh", 2 ** 33 + 5),
  ]).toMatchInlineSnapshot(`
    [
      "abdbd24ae5ba8c8d",
      "04bbd68ea9f73f49",
      "5e480fb47e54df1d57291ac22cb93262",
    ]
  `);
});

test("traces of logs and positions are spread evenly, for whoever samples by their last bits", () => {
  const kept = Array.from({ length: 20_000 }, (_, index) =>
    traceIdOf("AbCdEfGh", index + 1),
  ).filter((id) => Number.parseInt(id.slice(-4), 16) < 65_536 / 10);
  expect(kept.length).toBeGreaterThan(1850);
  expect(kept.length).toBeLessThan(2150);
});

test("a turn hangs below the span of its message, in its trace and with its flags", () => {
  const traceparent = `00-${trace}-00f067aa0ba902b7-00`;
  const input = { position: 5, metadata: { traceparent } };
  const span = turnSpan(input, "log", "order");
  expect(span).toEqual({
    traceparent: `00-${trace}-${spanIdOf(trace, 5, "order")}-00`,
    parent: "00f067aa0ba902b7",
  });
  expect(turnSpan(input, "another log", "order"), "the same on every worker").toEqual(span);
});

test("without a trace it begins one that follows from log and position", () => {
  const [one, again, other] = [5, 5, 6].map((position) =>
    turnSpan({ position, metadata: { traceparent: "nonsense" } }, "log", "order"),
  );
  expect(one).toEqual(again);
  expect(one?.traceparent.slice(0, 35)).toBe(`00-${traceIdOf("log", 5)}`);
  expect(other?.traceparent).not.toBe(one?.traceparent);
  expect(turnSpan({ position: 5, metadata: {} }, "another", "order")).not.toEqual(one);
});

test("what continues a turn has a trace that can be found from that turn", () => {
  const link = `00-${trace}-00f067aa0ba902b7-01`;
  const { parent, traceparent } = turnSpan(
    { position: 9, metadata: { id: "t1", link } },
    "log",
    "a",
  );
  expect(parent).toBeUndefined();
  expect(traceparent.slice(3, 35)).toBe(continuedTraceId(link, "t1"));
  expect(continuedTraceId(link, "t2")).not.toBe(continuedTraceId(link, "t1"));
});
