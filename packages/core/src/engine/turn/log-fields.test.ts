import { expect, it } from "vitest";

import { loggedFields } from "./log-fields.ts";

it("tells storable fields as they are, and anything else as text", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const fields = { count: -0, at: new Date(5), error: new TypeError("no"), circle, call: () => 1 };
  expect(loggedFields(fields)).toStrictEqual({
    count: -0,
    at: new Date(5),
    error: "TypeError: no",
    circle: "NotStorableError: It cannot be stored: self holds itself: store an id of it.",
    call: "NotStorableError: It cannot be stored: it is a function: use data, or leave it out.",
  });
});

it("never throws, whatever the fields are", () => {
  const throwing = {
    get field(): never {
      throw new Error("unreadable");
    },
  };
  expect(loggedFields(throwing)).toEqual({ fields: "Error: unreadable" });
});
