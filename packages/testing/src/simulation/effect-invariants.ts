/** The invariants of effects: a recorded one never runs again, and none runs on loose ground. */
import { agentName } from "@troupe/core/log";
import type { Position } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { EffectRun } from "./effect-ledger.ts";
import { receiptsIn } from "./effect-ledger.ts";
import type { Finding } from "./finding.ts";
import type { History } from "./history.ts";

export function effectFindings(history: History, runs: readonly EffectRun[]): Finding[] {
  if (runs.length === 0) return [];
  return [...recordedRunsOnce(history, runs), ...groundIsFirm(runs)];
}

/**
 * I6: a process that had seen the record of an effect, or of its turn, does not run it again. A
 * process that lost its agent and does not know yet may, because nobody can stop it.
 */
function recordedRunsOnce(history: History, runs: readonly EffectRun[]): Finding[] {
  const { turns, steps } = recordedIn(history, runs);
  return runs.flatMap(({ key, place, receipt, seen }) => {
    if (place === undefined) return [];
    const { agent, inputPosition, process } = place;
    const step = steps.get(key) ?? Infinity;
    const turn = turns.get(`${agent}@${inputPosition}`) ?? Infinity;
    if (seen < Math.min(step, turn)) return [];
    const where = step <= turn ? `record ${step}` : `its turn, record ${turn}`;
    const name = `${receipt} of ${agent}@${inputPosition}`;
    const what = `${name} ran on ${process}, which had seen the journal up to ${seen}, after ${where}`;
    return [{ rule: "I6", what }];
  });
}

/** I13: before an effect everything before its message is stored. */
function groundIsFirm(runs: readonly EffectRun[]): Finding[] {
  return runs
    .filter(({ before }) => before.length > 0)
    .map(({ before, place, receipt }) => ({
      rule: "I13",
      what: `${receipt} of ${place?.agent}@${place?.inputPosition} began on ${place?.process} before ${before.join(", ")} had a turn`,
    }));
}

/** First positions of the records of turns and of effects. */
function recordedIn(
  history: History,
  runs: readonly EffectRun[],
): {
  readonly turns: ReadonlyMap<string, Position>;
  readonly steps: ReadonlyMap<string, Position>;
} {
  const keys = new Map(runs.map(({ key, receipt }) => [receipt, key]));
  const turns = new Map<string, Position>();
  const steps = new Map<string, Position>();
  for (const entry of history.entries) {
    if (entry.kind !== "turn") continue;
    const decoded = decodeJournalRecord(entry.entry.record);
    if (decoded.kind !== "turn" && decoded.kind !== "steps") continue;
    const { revision } = entry.entry;
    const recorded = decoded.kind === "steps" ? decoded.steps : decoded.turn;
    for (const { value } of recorded.steps ?? []) {
      for (const receipt of receiptsIn(value)) {
        const key = keys.get(receipt);
        if (key !== undefined && !steps.has(key)) steps.set(key, revision);
      }
    }
    if (decoded.kind === "turn") {
      turns.set(`${agentName(entry.agent)}@${decoded.turn.inputPosition}`, revision);
    }
  }
  return { turns, steps };
}
