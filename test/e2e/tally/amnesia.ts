/**
 * A log whose journals do not say which inputs they hold.
 *
 * The engine recognises a duplicate by nothing but the input position of the journal's last record
 * (I4). Without it, an input that is read again runs again on the state it has already changed, and
 * the expected revision lets it in, because it was just read: exactly what a worker without
 * duplicate recognition would do. It is here to show that the tests would notice.
 */
import { encodeRecord } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { decodeRecord } from "@troupe/core/operate";

import { overlay } from "@troupe/testing";

export function amnesia(log: Log): Log {
  return overlay(log, {
    journal: async (agent, after, options) => {
      const entries = await log.journal(agent, after, options);
      return entries.map((entry) => ({
        ...entry,
        record: encodeRecord({ ...decodeRecord(entry.record), inputPosition: 0 }),
      }));
    },
  });
}
