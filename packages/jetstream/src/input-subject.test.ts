/** Addresses and their subjects. */
import { InvalidKeyError, keyTokenBytesMax } from "@troupe/core";
import fc from "fast-check";
import { expect, test } from "vitest";

import { inputSubject, isInputSubject, parseInputSubject } from "./input-subject.ts";
import { subjects as subjectsOf } from "./subjects.ts";

const subjects = subjectsOf("acme.support");
const key = fc
  .string({ minLength: 1, unit: "grapheme" })
  .filter((text) => text.isWellFormed() && Buffer.byteLength(text) * 3 < keyTokenBytesMax);

test("any address comes back from its subject", () => {
  const anyAddress = fc.record({
    kind: fc.constantFrom("agent", "topic"),
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    key,
  });
  fc.assert(
    fc.property(anyAddress, (address) => {
      const subject = inputSubject(subjects, address, 16);
      expect(parseInputSubject(subjects, subject)).toEqual({ address, fault: undefined });
      expect(isInputSubject(subjects, subject)).toBe(true);
      // Three tokens after the namespace would be moved by the transform.
      expect(subject.slice("acme.support.".length).split(".")).toHaveLength(6);
    }),
  );
});

test.each([
  "acme.support.0.in.1.topic.orders.a.b",
  "acme.support.0.in.1.topic.orders.%zz",
  "acme.support.0.in.1.topic.orders",
  "acme.support.0.in.1.other.orders.a",
  "acme.support.0.in.1",
  "acme.support.topic.a.b.c",
  "acme.support.topic.a",
  "acme.support.agent.a",
])("%s has a fault", (subject) => {
  expect(parseInputSubject(subjects, subject).fault?.code).toBe("invalid-key");
});

test("no internal subject has exactly three tokens after the namespace", () => {
  const agent = { type: "account", key: "a.b" };
  const internal = [
    subjects.journal(agent),
    subjects.dead(agent),
    subjects.buried(agent, 7),
    subjects.buried(undefined, 7),
  ];
  for (const subject of internal) {
    expect(subject.slice("acme.support.".length).split(".").length).toBeGreaterThan(3);
    expect(isInputSubject(subjects, subject)).toBe(false);
  }
});

test.each(["a.b", "a b", "*", "", ">"])("%j is no name of a topic or type", (name) => {
  expect(() => inputSubject(subjects, { kind: "topic", name, key: "a" }, 16)).toThrow(
    InvalidKeyError,
  );
});
