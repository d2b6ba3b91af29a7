/**
 * A worker that removes what is beyond its retention, and stands still in the middle of it so that
 * a test can kill it there.
 */
import { createTroupe } from "@troupe/core";
import { connectLog } from "@troupe/jetstream";

import { overlay } from "@troupe/testing";
import type { RetentionProgramSettings } from "./counter.ts";
import { counter } from "./counter.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as RetentionProgramSettings;
const { holdAt, namespace, url } = settings;
const tell = (kind: string): void => void process.send?.({ kind });

const holdAfter = async (moment: string): Promise<void> => {
  if (moment !== holdAt) return;
  tell("held");
  await Promise.withResolvers<never>().promise;
};

const connected = await connectLog({ servers: url, namespace });
const log = overlay(connected, {
  truncateJournal: async (agent, before) => {
    await holdAfter("base is stored");
    const removed = await connected.truncateJournal(agent, before);
    await holdAfter("records are gone");
    return removed;
  },
  truncateJournals: async (type, before) => {
    const removed = await connected.truncateJournals(type, before);
    await holdAfter("a slice is gone");
    return removed;
  },
});
const troupe = createTroupe(log);
const byPrefix = holdAt === "a slice is gone";
await troupe.work(counter, {
  collector: {
    settleMs: 0,
    lookMs: 20,
    agentsPerSecond: byPrefix ? 1 : 1000,
    prefixMin: byPrefix ? 64 : 1_000_000,
  },
  timings: { joinDelayMs: 0 },
});
process.once("SIGTERM", () => void troupe.close().then(() => process.exit(0)));
process.once("disconnect", () => process.exit(0));
tell("ready");
