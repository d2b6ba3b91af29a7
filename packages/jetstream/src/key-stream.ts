/** The stream of keys: its configuration, and the erasure of a replaced value from it. */
import { DiscardPolicy, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { Position } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { leaderGet, unlessNothingThere } from "./leader-get.ts";
import type { NewStream } from "./log-stream.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import type { Subjects } from "./subjects.ts";

/**
 * Configuration of the stream of keys, without a limit per subject: that would remove a key without
 * overwriting it.
 */
export function keyStream(
  subjects: Subjects,
  { replicas }: { readonly replicas: number },
): NewStream {
  return {
    name: subjects.keyStream,
    description: `Troupe ${subjects.namespace}: keys of personal data; keep it out of backups`,
    subjects: [subjects.key("*")],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
  };
}

/** Overwrites every value of a subject before a position, until the server answers. */
export async function eraseBefore(
  session: Session,
  stream: string,
  { before, subject }: { readonly before: Position; readonly subject: string },
): Promise<void> {
  const patience = { timeoutMs: session.acceptTimeoutMs };
  for (let after = 0; ;) {
    const wanted = { seq: after + 1, next_by_subj: subject };
    const found = await retryUnavailable(() => leaderGet(session, stream, wanted), patience);
    if (found === undefined || found.seq >= before) return;
    const erase = { seq: found.seq, no_erase: false };
    await retryUnavailable(
      () => unlessNothingThere(apiRequest(session, `STREAM.MSG.DELETE.${stream}`, erase)),
      patience,
    );
    after = found.seq;
  }
}
