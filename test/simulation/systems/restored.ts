/**
 * Hot keys on a log that loses its tail, or everything, again and again. What was lost is lost;
 * everything else that was accepted is handled, once and in order, and nothing that was lost lives
 * on in a state.
 */
import { IdTakenError } from "@troupe/core/errors";
import type { System } from "@troupe/testing";

import { hotKey, sendCounts } from "./hot-key.ts";

export const restored: System = {
  ...hotKey,
  name: "restored",
  faults: { "lose-tail": 10 },
  drive: async (client, stage) => {
    await sendCounts(client, stage, 40, unlessTaken);
    // What the log lost in the end shows when something comes after it.
    await sendCounts(client, stage, 10, unlessTaken);
  },
};

/**
 * Ignores that nothing was stored: where a message was stored and lost again, another one may lie
 * when its sender, who was not told, tries again, and hears so.
 */
function unlessTaken(thrown: unknown): void {
  if (!(thrown instanceof IdTakenError)) throw thrown;
}
