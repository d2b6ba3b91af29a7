/**
 * Watches the log while the demo runs: how many inquiries have their outcome, and whether
 * everything has come to rest.
 */
import { decodeJournalRecord } from "@troupe/core/operate";
import type { Troupe } from "@troupe/core";
import { interactions } from "../agents/topics.ts";

export interface LiveProgress {
  readonly answered: number;
  readonly escalated: number;
  /** Publications on the topic `interactions` that the quality agent has handled. */
  readonly reviewed: number;
  stop(): void;
}

/** Starts watching; `onChange` is called after every turn. */
export function watchProgress(
  troupe: Troupe,
  onChange: (progress: LiveProgress) => void,
): LiveProgress {
  const abort = new AbortController();
  const progress = { answered: 0, escalated: 0, reviewed: 0, stop: () => abort.abort() };
  void follow(troupe, progress, onChange, abort.signal);
  return progress;
}

type Counts = { -readonly [Name in keyof LiveProgress]: LiveProgress[Name] };

async function follow(
  troupe: Troupe,
  progress: Counts,
  onChange: (progress: LiveProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = { from: 1, topics: [], types: ["conversation", "quality"], signal };
  for await (const entry of troupe.follow(request)) {
    if (entry.kind !== "turn") continue;
    const journaled = decodeJournalRecord(entry.entry.record);
    if (journaled.kind !== "turn") continue;
    const record = journaled.turn;
    for (const event of record.events) {
      if (event.type === "answered") progress.answered += 1;
      if (event.type === "escalated") progress.escalated += 1;
    }
    if (record.topic === interactions.name) progress.reviewed += 1;
    onChange(progress);
  }
}
