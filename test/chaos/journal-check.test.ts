import type { TurnRecord } from "@troupe/core/operate";
import { describe, expect, test } from "vitest";

import { isCopied, type Add } from "../e2e/tally/tally.ts";
import { Findings } from "./findings.ts";
import { JournalCheck } from "./journal-check.ts";
import { nothingYet, isBroken, totalOf, type ScenarioResult } from "./scenario-result.ts";
import type { StoredEntry, StoredInput, StoredTurn } from "./stream-reader.ts";
import { TallyRules } from "./tally-rules.ts";

const count = 6;
const told = (n: number): Add => ({ n, value: 10 * n });

/** Entries that the broker holds after a tally was told some numbers and all went well. */
function goodStream(): StoredEntry[] {
  const entries: StoredEntry[] = [];
  let copies = 0;
  for (let n = 1; n <= count; n++) {
    const input = inputOf("tally/alice", "add", told(n), entries.length + 1);
    entries.push(input);
    const sentId = isCopied(told(n)) ? `sent-${n}` : undefined;
    const sent = sentId === undefined ? [] : [{ to: "agent/copy/alice", id: sentId, digest: "" }];
    entries.push(turnOf(input, "counted", { turn: n, sent, reply: n }));
    if (sentId === undefined) continue;
    const position = entries.length + 1;
    const copy = inputOf("copy/alice", "receive", told(n), position, sentId);
    entries.push(copy, turnOf(copy, "received", { turn: ++copies, sent: [] }));
  }
  return entries;
}

function inputOf(
  agent: string,
  message: string,
  value: Add,
  position: number,
  sentId?: string,
): StoredInput {
  const sender = sentId === undefined ? "publisher" : "tally/alice";
  return { kind: "input", position, agent, message, value, sentId, sender };
}

function turnOf(input: StoredInput, type: string, record: Partial<TurnRecord>): StoredTurn {
  const inputPosition = input.position;
  const events = [{ type, data: input.value }];
  return {
    kind: "turn",
    agent: input.agent,
    record: { inputPosition, events, ...record } as TurnRecord,
  };
}

function checked(entries: readonly StoredEntry[], accepted = count): Findings {
  const findings = new Findings();
  const rules = new TallyRules(findings);
  const check = new JournalCheck(findings, rules);
  for (const entry of entries) check.see(entry);
  check.end();
  rules.expectTold("tally/alice", accepted);
  rules.expectCopied("alice", accepted);
  return findings;
}

/** The last turn of the agent, which nothing after it depends on. */
const lastTurn = (entries: readonly StoredEntry[], agent: string): number =>
  entries.findLastIndex((entry) => entry.kind === "turn" && entry.agent === agent);

const without = (entries: readonly StoredEntry[], index: number): StoredEntry[] =>
  entries.filter((_, i) => i !== index);

describe("the check of a run", () => {
  test("has nothing to say when all is right", () => {
    expect(checked(goodStream())).toEqual(new Findings());
  });

  test("finds a missing turn", () => {
    const entries = goodStream();
    expect(checked(without(entries, lastTurn(entries, "copy/alice"))).lost).toBe(1);
  });

  test("finds a missing turn in the middle, and that the state is not the fold any more", () => {
    const entries = goodStream();
    const findings = checked(without(entries, 1));
    expect(findings.lost).toBe(1);
    expect(findings.wrong).toBeGreaterThan(0);
  });

  test("finds a doubled turn", () => {
    const entries = goodStream();
    const doubled = entries[lastTurn(entries, "copy/alice")]!;
    expect(checked([...entries, doubled]).duplicated).toBe(1);
  });

  test("finds turns in the wrong order", () => {
    const entries = goodStream();
    const [told1, turn1, told2, turn2] = entries as [StoredEntry, StoredEntry, ...StoredEntry[]];
    const swapped = [told1, told2!, turn2!, turn1, ...entries.slice(4)];
    expect(checked(swapped).wrong).toBeGreaterThan(0);
  });

  test("finds an accepted message that is not there", () => {
    expect(checked(goodStream(), count + 1).lost).toBe(1);
  });

  test("finds a message that was accepted twice", () => {
    const entries = goodStream();
    const again = inputOf("tally/alice", "add", told(count), 100);
    const turn = turnOf(again, "counted", { turn: count + 1, sent: [], reply: count + 1 });
    expect(checked([...entries, again, turn]).duplicated).toBe(1);
  });

  test("finds a sent message that is missing", () => {
    const entries = goodStream();
    const missing = entries.findLastIndex((entry) => entry.kind === "input");
    expect(checked(entries.filter((_, i) => i < missing)).lost).toBeGreaterThan(0);
  });

  test("finds a sent message that is there twice", () => {
    const entries = goodStream();
    const sent = entries.findLast((entry) => entry.kind === "input")!;
    const again = { ...sent, position: 100 } as StoredInput;
    const turn = turnOf(again, "received", { turn: count / 2 + 1, sent: [] });
    expect(checked([...entries, again, turn]).duplicated).toBeGreaterThan(0);
  });

  test("finds an event and a reply that are not those of the message", () => {
    const wrong = (record: Partial<TurnRecord>): number => {
      const entries = goodStream();
      const index = lastTurn(entries, "tally/alice");
      const turn = entries[index] as StoredTurn;
      return checked(entries.with(index, { ...turn, record: { ...turn.record, ...record } })).wrong;
    };
    expect(wrong({ events: [] })).toBe(1);
    expect(wrong({ reply: 0 })).toBe(1);
  });

  test("finds what nobody should have stored", () => {
    expect(checked([...goodStream(), { kind: "stray", subject: "chaos.0.dead.x" }]).wrong).toBe(1);
  });
});

test("one broken guarantee in one scenario breaks the run", () => {
  const good: ScenarioResult = { ...nothingYet, scenario: "single", seed: 1, minutes: 1 };
  expect(isBroken(totalOf([good, { ...good, maxStallMs: 9 }]))).toBe(false);
  for (const name of ["lost", "duplicated", "wrong", "chargedTwice"] as const) {
    expect(isBroken(totalOf([good, { ...good, [name]: 1 }]))).toBe(true);
  }
});
