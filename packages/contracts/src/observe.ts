/** Views of a log: everything a reader got, a whole journal, everything stored so far. */
import assert from "node:assert/strict";

import type {
  AgentId,
  Input,
  FollowRequest,
  JournalEntry,
  Log,
  LogEntry,
  Reader,
  ReadRequest,
} from "@troupe/core/log";
import { text, toInquiries } from "./drafts.ts";
import type { LogHarness } from "./log-harness.ts";
import { until } from "./until.ts";

export interface Collector {
  readonly reader: Reader;
  /** Inputs in the order they were handed over. */
  readonly inputs: Input[];
  /** Resolves when at least `count` inputs were handed over. */
  has(count: number): Promise<void>;
  contents(): string[];
}

const manyCredits = 1_000_000;

/** Read a source and keep what it gives. */
export function collect(
  harness: LogHarness,
  log: Log,
  request: Pick<ReadRequest, "source"> & Partial<ReadRequest>,
): Collector {
  const inputs: Input[] = [];
  const onInput = (input: Input): void => void inputs.push(input);
  const reader = log.read({ after: 0, credit: manyCredits, onInput, ...request });
  return {
    reader,
    inputs,
    has: (count) => {
      const what = `${count} inputs of ${request.source} are handed over`;
      return until(harness, what, () => inputs.length >= count);
    },
    contents: () => inputs.map((input) => text(input.payload)),
  };
}

/** A collector for every partition. */
export function collectAll(harness: LogHarness, log: Log): Collector[] {
  return Array.from({ length: log.partitions }, (_, source) => collect(harness, log, { source }));
}

/** Resolves when the collectors together have at least `count` inputs. */
export function haveTogether(
  harness: LogHarness,
  collectors: readonly Collector[],
  count: number,
): Promise<void> {
  const total = (): number => collectors.reduce((sum, { inputs }) => sum + inputs.length, 0);
  return until(harness, `${count} inputs are handed over`, () => total() >= count);
}

/** All records of an agent. */
export async function wholeJournal(log: Log, agent: AgentId): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for (;;) {
    const page = await log.journal(agent, entries.at(-1)?.revision ?? 0);
    if (page.length === 0) return entries;
    for (const entry of page) {
      // Also what keeps this loop from going on for ever.
      assert.ok(entry.revision > (entries.at(-1)?.revision ?? 0), "revisions grow");
      entries.push(entry);
    }
  }
}

/** Entries stored so far that the request lets through. */
export async function everything(
  log: Log,
  request: Partial<FollowRequest> = {},
): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of log.follow({ from: 1, untilNow: true, ...request })) {
    entries.push(entry);
  }
  return entries;
}

/**
 * The contents of all inputs in this key's partition. A last message makes sure that nothing is
 * still on its way; it is left out.
 */
export async function inputsBesides(
  harness: LogHarness,
  log: Log,
  source: { readonly partition: number; readonly key: string },
): Promise<string[]> {
  const { position } = await log.accept(toInquiries(source.key, "the last one"));
  const collector = collect(harness, log, { source: source.partition });
  const arrived = (): boolean => collector.inputs.some((input) => input.position === position);
  await until(harness, "the last input is handed over", arrived);
  await collector.reader.stop();
  return collector.contents().slice(0, -1);
}

/** Fails unless the promise rejects with the error of this code. */
export async function rejectsWith(promise: Promise<unknown>, ...codes: string[]): Promise<void> {
  const outcome = await promise.then(
    () => "no error",
    (error: unknown) => errorCode(error),
  );
  assert.ok(codes.includes(outcome), `expected ${codes.join(" or ")}, but got ${outcome}`);
}

/** The code of one of our errors, or any other error as text. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return String(error);
}
