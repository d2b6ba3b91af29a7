import { idempotencyKeyOf } from "@troupe/core/engine";
import type { TurnRecord } from "@troupe/core/operate";
import { expect, test } from "vitest";

import { Findings } from "../findings.ts";
import type { StoredInput } from "../stream-reader.ts";
import { PaymentRules } from "./payment-rules.ts";
import type { Charge } from "./payment-service-settings.ts";

const step = { name: "charge", digest: undefined, use: 1 };
const key = idempotencyKeyOf("log", { type: "payer", key: "a" }, 1, step);
const charge = { key, command: "a-1", cents: 5, receipt: "receipt-0" } as const;
const input: StoredInput = {
  kind: "input",
  position: 1,
  agent: "payer/a",
  message: "pay",
  value: { command: "a-1", cents: 5 },
  sentId: undefined,
  sender: "publisher",
};

function checked(ledger: readonly Charge[]): { rules: PaymentRules; findings: Findings } {
  const findings = new Findings();
  const rules = new PaymentRules(findings, ledger, [
    { key: charge.key, count: 2, lastAtMs: 1000, lastBy: "worker-1" },
  ]);
  const data = { command: "a-1", cents: 5, receipt: "receipt-0" };
  const record = { events: [{ type: "paid", data }], reply: "receipt-0" };
  rules.input(input);
  rules.turn(input, record as unknown as TurnRecord);
  rules.end(["a-1"]);
  return { rules, findings };
}

test("one charge for one command is right", () => {
  const { findings, rules } = checked([charge]);
  expect(findings).toEqual(new Findings());
  expect(rules.chargedTwice).toBe(0);
});

test("a command that was charged under two idempotency keys is found", () => {
  const again = { ...charge, key: "another key", receipt: "receipt-1" };
  expect(checked([charge, again]).rules.chargedTwice).toBe(1);
});

test("a command without a charge, and a charge without a command, are found", () => {
  expect(checked([]).findings.lost).toBe(1);
  const strange = { ...charge, key: "key of b", command: "b-1" };
  expect(checked([charge, strange]).findings.wrong).toBe(1);
});

test("a request after the result was recorded is counted", () => {
  const { rules } = checked([charge]);
  const steps = {
    log: "log",
    inputPosition: 1,
    worker: "worker-1",
    steps: [{ ...step, order: 1, value: "receipt-0", tookMs: 1, startMs: 0, run: 1 }],
  };
  rules.steps({ kind: "steps", agent: "payer/a", steps, storedAtMs: 1000 });
  expect(rules.ranAgain).toBe(0);
  const others = { ...steps, worker: "worker-2" };
  rules.steps({ kind: "steps", agent: "payer/a", steps: others, storedAtMs: 999 });
  expect([rules.ranAgain, rules.beyondLimits]).toEqual([1, 0]);
  rules.steps({ kind: "steps", agent: "payer/a", steps, storedAtMs: 999 });
  expect([rules.ranAgain, rules.beyondLimits]).toEqual([2, 1]);
});
