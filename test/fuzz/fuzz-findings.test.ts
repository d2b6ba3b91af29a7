/**
 * The fuzzer's judge sees what vanished, what was doubled, and what was handled by nobody's right.
 */
import { headers } from "@nats-io/nats-core";
import { expect, test } from "vitest";

import { FuzzFindings } from "./fuzz-findings.ts";

function input(findings: FuzzFindings, seq: number, subject: string, ingress: number): void {
  const said = headers();
  said.set("Troupe-Foreign", String(ingress));
  findings.add({ seq, subject: `fuzz.0.${subject}`, headers: said, data: new Uint8Array() });
}

function letter(findings: FuzzFindings, seq: number, position: number): void {
  const said = headers();
  said.set("Troupe-Dead-Position", String(position));
  const subject = `fuzz.0.dead.${position}`;
  findings.add({ seq, subject, headers: said, data: new Uint8Array() });
}

test("a dead letter for each hosted message is right, and nothing for what nobody hosts", () => {
  const findings = new FuzzFindings("fuzz");
  input(findings, 1, "in.agent.target.alice", 1);
  input(findings, 2, "unroutable", 2);
  input(findings, 3, "in.agent.nobody.alice", 3);
  letter(findings, 4, 1);
  letter(findings, 5, 2);
  expect(findings.breaches([1, 2, 3])).toEqual([]);
  expect(findings.letters).toBe(2);
});

test("what vanished on the way to the log, or there, is a breach", () => {
  const findings = new FuzzFindings("fuzz");
  input(findings, 1, "in.agent.target.alice", 1);
  expect(findings.breaches([1, 2])).toEqual([
    "2 of the ingress is 0 times on the log",
    "1 (in.agent.target.alice) was neither handled nor is it a dead letter",
  ]);
});

test("what came twice, or has two dead letters, is a breach", () => {
  const findings = new FuzzFindings("fuzz");
  for (const seq of [1, 2]) input(findings, seq, "unroutable", 1);
  for (const seq of [3, 4, 5]) letter(findings, seq, seq === 5 ? 2 : 1);
  expect(findings.breaches([1])).toEqual([
    "1 of the ingress is 2 times on the log",
    "1 (unroutable) has 2 dead letters",
  ]);
});

test("anything else under the log's subjects is a breach", () => {
  const findings = new FuzzFindings("fuzz");
  findings.add({ seq: 1, subject: "fuzz.0.other", data: new Uint8Array() });
  letter(findings, 2, 77);
  findings.add({ seq: 3, subject: "fuzz.0.taken", data: new Uint8Array() });
  expect(findings.breaches([])).toEqual([
    "1: a message under other",
    "2: a dead letter dead.77 of nothing",
  ]);
});
