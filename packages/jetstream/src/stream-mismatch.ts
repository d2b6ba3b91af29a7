/** Errors of a stream that cannot be what its name says. */
import type { StreamConfig } from "@nats-io/jetstream";

import { StreamMismatchError } from "./errors.ts";

export function mismatch(config: StreamConfig, why: string): StreamMismatchError {
  return new StreamMismatchError(
    `The stream ${config.name} cannot hold a Troupe log: ${why}. Use another namespace, or correct the stream.`,
    { details: { stream: config.name } },
  );
}

/** The first few of a list of subjects, for people. */
export function listed(subjects: readonly string[]): string {
  const more = subjects.length - 3;
  return subjects.slice(0, 3).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
