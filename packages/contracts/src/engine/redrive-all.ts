/** Redrives all dead letters, as an operator does once their cause is gone. */
import assert from "node:assert/strict";

import type { Log } from "@troupe/core/log";
import { redrive } from "@troupe/core/operate";
import { everything } from "../observe.ts";

/** Redrives every dead letter, and forgets it. */
export async function redriveAll(log: Log): Promise<void> {
  for (const entry of await everything(log)) {
    if (entry.kind !== "dead-letter") continue;
    const { agent, inputPosition } = entry.deadLetter;
    const original = await log.input(inputPosition);
    assert.ok(agent !== undefined && original !== undefined);
    await redrive(log, { position: entry.position, agent, original });
  }
}
