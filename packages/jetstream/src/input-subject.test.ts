/** Addresses and their subjects. */
import { InvalidKeyError } from "@troupe/core/errors";
import { keyTokenBytesMax, partitionOfToken } from "@troupe/core/log";
import fc from "fast-check";
import { expect, test } from "vitest";

import { inputSubject, isInputSubject, parseInputSubject } from "./input-subject.ts";
import { subjects as subjectsOf } from "./subjects.ts";

const subjects = subjectsOf("acme.support", 16);
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
      const subject = inputSubject(subjects, address);
      expect(parseInputSubject(subjects, subject)).toEqual({ address, fault: undefined });
      expect(isInputSubject(subjects, subject)).toBe(true);
      expect(subject.slice("acme.support.".length).split(".")).toHaveLength(5);
    }),
  );
});

test.each([
  "acme.support.1.in.topic.orders.a.b",
  "acme.support.1.in.topic.orders.%zz",
  "acme.support.1.in.topic.orders",
  "acme.support.1.in.other.orders.a",
  "acme.support.1.in",
  "acme.support.topic.a.b.c",
  "acme.support.topic.a",
  "acme.support.agent.a",
])("%s has a fault", (subject) => {
  expect(parseInputSubject(subjects, subject).fault?.code).toBe("invalid-key");
});

test("whatever is about an agent lies in the partition of its key, and is no input", () => {
  const agent = { type: "account", key: "a.b" };
  const beginning = `acme.support.${partitionOfToken("a%2Eb", 16)}.`;
  const internal = [
    subjects.journal(agent),
    subjects.dead(agent),
    subjects.buried(agent, 7),
    subjects.timer(agent, "x"),
    subjects.cancelled(agent, "x"),
  ];
  for (const subject of internal) {
    expect(subject).toMatch(new RegExp(`^${beginning}`));
    expect(isInputSubject(subjects, subject)).toBe(false);
  }
  const input = inputSubject(subjects, { kind: "agent", name: "account", key: "a.b" });
  expect(input.startsWith(beginning)).toBe(true);
  expect(subjects.streamSubjects).toContain(`${beginning}>`);
});

test.each(["acme.support.agent.in.x", "acme.support.topic.in.x", "acme.support.control.in.x"])(
  "%s is not an internal subject, whatever its words are",
  (subject) => expect(isInputSubject(subjects, subject)).toBe(false),
);

test.each(["a.b", "a b", "*", "", ">"])("%j is no name of a topic or type", (name) => {
  expect(() => inputSubject(subjects, { kind: "topic", name, key: "a" })).toThrow(InvalidKeyError);
});
