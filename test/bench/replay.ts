/**
 * Folding histories: `troupe.replay` from the journal, and decoding and folding what is in memory
 * already, against the fold function alone.
 */
import { createTroupe } from "@troupe/core";
import { decodeRecord } from "@troupe/core/operate";
import type { Log } from "@troupe/core/log";

import type { Bench, Benchmark } from "./benchmark.ts";
import { fillJournals } from "./fill-journals.ts";
import { atLeast } from "./goal.ts";
import { account } from "./ledger.ts";
import type { BenchRow } from "./measure.ts";
import { match } from "./measure.ts";

export const replay: Benchmark = {
  name: "replay",
  what: "Events folded per second: from the journal, from records in memory, and the fold alone.",
  parts: [
    { rows: "replay-1", run: (bench) => folded(bench, 1) },
    { rows: "replay-100", run: (bench) => folded(bench, 100) },
  ],
};

async function folded(
  { progress, quick, stage }: Bench,
  eventsPerTurn: number,
): Promise<readonly BenchRow[]> {
  const events = quick ? 100_000 : 500_000;
  const turns = events / eventsPerTurn;
  const { log } = await stage.freshLog();
  await fillJournals(log, { keys: 1, turns, eventsPerTurn });
  await using troupe = createTroupe(log);
  const records = await recordsOf(log);
  const { fold } = account.events["deposited"] ?? {};
  if (fold === undefined) throw new Error("The account has no such event.");
  const perSecond = async (who: string, run: () => unknown) => {
    const startedAt = performance.now();
    const balance = await run();
    const rate = (events / (performance.now() - startedAt)) * 1000;
    if (balance !== events * 5) throw new Error(`${who} came to ${String(balance)}.`);
    progress(`${who} ${Math.round(rate)} events/s`);
    return rate;
  };
  // States are frozen as the engine freezes them; without it the compiler folds the loop away.
  const step = (state: unknown, event: unknown): unknown => Object.freeze(fold(state, event));
  const inMemory = records.flatMap((record) => decodeRecord(record).events);
  const alone = (): unknown => {
    let state: unknown = account.initialState;
    for (const { data } of inMemory) state = step(state, data);
    return (state as { readonly balance: number }).balance;
  };
  const decoded = (): unknown => {
    let state: unknown = account.initialState;
    for (const record of records) {
      for (const { data } of decodeRecord(record).events) state = step(state, data);
    }
    return (state as { readonly balance: number }).balance;
  };
  const fromJournal = async (): Promise<unknown> => {
    let balance = 0;
    for await (const { state } of troupe.replay(account, "key-0")) ({ balance } = state);
    return balance;
  };
  const name = `replay-${eventsPerTurn}`;
  const row = { unit: "events/s", better: "more" } as const;
  return await match({
    versus: `the fold function alone; ${turns} turns with ${eventsPerTurn} event(s) each`,
    rounds: quick ? 2 : 5,
    disciplines: {
      journal: { ...row, name: `${name}-journal`, goal: atLeast(100_000) },
      decoded: { ...row, name: `${name}-decoded` },
    },
    ours: async () => ({
      journal: await perSecond("journal", fromJournal),
      decoded: await perSecond("decoded", decoded),
    }),
    async theirs() {
      const rate = await perSecond("alone  ", alone);
      return { journal: rate, decoded: rate };
    },
  });
}

async function recordsOf(log: Log): Promise<readonly Uint8Array[]> {
  const agent = { type: account.type, key: "key-0" };
  const records: Uint8Array[] = [];
  for (let after = 0; ;) {
    const entries = await log.journal(agent, after);
    if (entries.length === 0) return records;
    records.push(...entries.map(({ record }) => record));
    after = entries.at(-1)?.revision ?? after;
  }
}
