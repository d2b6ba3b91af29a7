/**
 * A message from a stranger becomes one that says nothing it may not say (FOREIGN-1 to FOREIGN-4).
 */
import fc from "fast-check";
import { expect, test } from "vitest";

import { takenMessage } from "./foreign-message.ts";
import { subjects as subjectsOf } from "./subjects.ts";

const subjects = subjectsOf("acme", 16);
const allowed = new Set([
  "Troupe-Foreign",
  "Troupe-Id",
  "Troupe-Message",
  "Troupe-Reply-To",
  "Content-Type",
  "traceparent",
  "tracestate",
  "Troupe-Unroutable-Subject",
  "Troupe-Unroutable-Code",
  "Troupe-Unroutable-Message",
]);

const names =
  "Nats-Msg-Id Nats-Rollup Nats-Schedule Nats-Schedule-Target Nats-Scheduler Troupe-Id Troupe-Topic " +
  "Troupe-Sender Troupe-Timer Troupe-Foreign Troupe-Message Troupe-Reply-To Content-Type traceparent __proto__";
const said = fc.constantFrom("", ...names.split(" "));
const value = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("all", "~resume", "acme.reply.x", "acme.0.journal.a.b", "a\r\nNats-Rollup: all"),
);
const block = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.tuple(said, value), { maxLength: 12 })
    .map((lines) => `NATS/1.0\r\n${lines.map((line) => line.join(": ")).join("\r\n")}\r\n\r\n`),
);
const token = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
const subject = fc.oneof(
  fc.tuple(fc.constantFrom("agent", "topic"), token, token).map((parts) => parts.join(".")),
  fc.array(token).map((tokens) => tokens.join(".")),
);

test("only allowed headers come along, on one line each, to a partition or the unroutable messages", () => {
  fc.assert(
    fc.property(subject, block, (rest, text) => {
      const message = {
        subject: `acme.${rest}`,
        block: text,
        payload: Buffer.from("x"),
        sequence: 7,
      };
      const taken = takenMessage(message, subjects);
      const isInput = /^acme\.\d+\.in\.(agent|topic)\.[A-Za-z][\w-]{0,63}\.[^.\s*>]+$/u;
      expect(taken.subject === subjects.unroutable || isInput.test(taken.subject)).toBe(true);
      expect(taken.lines.endsWith("\r\n")).toBe(true);
      const lines = taken.lines.slice(0, -2).split("\r\n");
      for (const line of lines) {
        expect(allowed).toContain(line.slice(0, line.indexOf(":")));
        expect(line).not.toMatch(/[\r\n\0]/);
      }
      expect(lines[0]).toBe("Troupe-Foreign: 7");
      expect(taken.lines.length).toBeLessThan(16_384);
    }),
    { numRuns: 2000 },
  );
});

test("a reply address comes along only when it is a foreign inbox, an id only as a foreign one", () => {
  fc.assert(
    fc.property(block, (text) => {
      const message = {
        subject: "acme.agent.a.b",
        block: text,
        payload: Buffer.from("x"),
        sequence: 7,
      };
      const { lines } = takenMessage(message, subjects);
      expect(lines).not.toMatch(/Troupe-Reply-To: (?!acme\.reply\.[^\s*>]+\r)/);
      expect(lines).not.toMatch(/Troupe-Id: (?!foreign:)/);
      expect(lines).not.toMatch(/Troupe-Message: (?![A-Za-z][\w-]*\r)/);
    }),
    { numRuns: 2000 },
  );
});
