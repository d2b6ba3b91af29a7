/**
 * Counts what happened, from the log alone.
 *
 * It shares nothing with the engine but the format of the turn record: it reads every stored input
 * and every journal in log order and works out what must be there. An input of an agent that hosts
 * its message is lost when no journal has it; it was done twice when a journal has it twice.
 */
import { decodePayload } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { AgentId, Input, JournalEntry, Log } from "@troupe/core/log";
import { z } from "zod";
import { categories } from "../category.ts";
import type { Category } from "../category.ts";
import { inquiries } from "../agents/topics.ts";

export interface JournalCount {
  /** Inquiries on the log. */
  readonly inquiries: number;
  readonly answered: number;
  readonly escalated: number;
  readonly byCategory: Readonly<Record<Category, number>>;
  /** Inputs that a journal has more than once, and inquiries with more than one outcome. */
  readonly duplicates: number;
  /** Inputs that no journal has, and inquiries without an outcome. */
  readonly lost: number;
  readonly turns: number;
  readonly turnsPerSecond: number;
  /** From the acceptance of an inquiry to its stored outcome, in milliseconds. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

interface Tally {
  /** Records that must appear in the journals: `type/key@position`. */
  readonly expected: Set<string>;
  readonly handled: Map<string, number>;
  readonly acceptedAtMs: Map<string, number>;
  readonly outcomes: Map<string, { readonly kind: string; readonly atMs: number }[]>;
  readonly byCategory: Record<Category, number>;
  turns: number;
  firstAtMs: number;
  lastAtMs: number;
}

export async function countJournal(log: Log): Promise<JournalCount> {
  const subscribers = new Map<string, string[]>();
  for (const { type, topics } of await log.manifests()) {
    for (const topic of topics) subscribers.set(topic, [...(subscribers.get(topic) ?? []), type]);
  }
  const tally = emptyTally();
  for await (const entry of log.follow({ from: 1, untilNow: true })) {
    if (entry.kind === "input") countInput(tally, entry.input, subscribers);
    if (entry.kind === "turn") countTurn(tally, entry.agent, entry.entry);
  }
  return summary(tally);
}

function emptyTally(): Tally {
  return {
    expected: new Set(),
    handled: new Map(),
    acceptedAtMs: new Map(),
    outcomes: new Map(),
    byCategory: { faq: 0, technical: 0, billing: 0, complaint: 0, sales: 0, general: 0 },
    turns: 0,
    firstAtMs: Infinity,
    lastAtMs: 0,
  };
}

function countInput(
  tally: Tally,
  input: Input,
  subscribers: ReadonlyMap<string, readonly string[]>,
): void {
  const { kind, name, key } = input.address;
  const types = kind === "agent" ? [name] : (subscribers.get(name) ?? []);
  for (const type of types) tally.expected.add(`${type}/${key}@${input.position}`);
  tally.firstAtMs = Math.min(tally.firstAtMs, input.acceptedAtMs);
  if (kind !== "topic" || name !== inquiries.name) return;
  const { id } = inquiryId.parse(decodePayload(input.payload, input.metadata.contentType));
  tally.acceptedAtMs.set(id, input.acceptedAtMs);
}

function countTurn(tally: Tally, { type, key }: AgentId, entry: JournalEntry): void {
  const journaled = decodeJournalRecord(entry.record);
  if (journaled.kind !== "turn") return;
  const record = journaled.turn;
  const name = `${type}/${key}@${record.inputPosition}`;
  tally.handled.set(name, (tally.handled.get(name) ?? 0) + 1);
  tally.turns += 1;
  tally.lastAtMs = Math.max(tally.lastAtMs, entry.committedAtMs);
  for (const event of record.events) {
    if (type === "router" && event.type === "routed") {
      tally.byCategory[routedEvent.parse(event.data).category] += 1;
    }
    if (type !== "conversation") continue;
    if (event.type !== "answered" && event.type !== "escalated") continue;
    const id = outcomeEvent.parse(event.data).inquiryId;
    const outcome = { kind: event.type, atMs: entry.committedAtMs };
    tally.outcomes.set(id, [...(tally.outcomes.get(id) ?? []), outcome]);
  }
}

const inquiryId = z.object({ id: z.string() });
const routedEvent = z.object({ category: z.enum(categories) });
const outcomeEvent = z.object({ inquiryId: z.string() });

function summary(tally: Tally): JournalCount {
  const outcomes = [...tally.outcomes.values()];
  const kinds = outcomes.map((each) => each[0]?.kind);
  const unhandled = [...tally.expected].filter((name) => !tally.handled.has(name)).length;
  const open = [...tally.acceptedAtMs.keys()].filter((id) => !tally.outcomes.has(id)).length;
  const repeated = [...tally.handled.values()].reduce((sum, count) => sum + count - 1, 0);
  const latenciesMs = [...tally.outcomes]
    .map(([id, each]) => (each[0]?.atMs ?? 0) - (tally.acceptedAtMs.get(id) ?? 0))
    .toSorted((a, b) => a - b);
  return {
    inquiries: tally.acceptedAtMs.size,
    answered: kinds.filter((kind) => kind === "answered").length,
    escalated: kinds.filter((kind) => kind === "escalated").length,
    byCategory: tally.byCategory,
    duplicates: repeated + outcomes.reduce((sum, each) => sum + each.length - 1, 0),
    lost: unhandled + open,
    turns: tally.turns,
    turnsPerSecond: Math.round(tally.turns / ((tally.lastAtMs - tally.firstAtMs) / 1000)),
    p50Ms: percentile(latenciesMs, 0.5),
    p95Ms: percentile(latenciesMs, 0.95),
    p99Ms: percentile(latenciesMs, 0.99),
  };
}

/** Nearest rank: the smallest value that at least the share `q` of all values does not exceed. */
function percentile(sorted: readonly number[], q: number): number {
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  return value === undefined ? Number.NaN : Math.round(value * 10) / 10;
}
