/**
 * Deposits at a steady rate, whatever becomes of them: a client that publishes and never waits.
 */
import type { NatsConnection } from "@nats-io/nats-core";

import { depositHeaders, depositSubjects } from "./flood.ts";
import { depositBytes } from "./ledger.ts";

export interface PacedLoad {
  /** Messages sent so far. */
  readonly sent: number;
  stop(): void;
}

export interface Pace {
  readonly namespace: string;
  readonly keys: number;
  readonly perSecond: number;
}

/** The rate is held by the clock: what a busy moment held up is sent after it. */
export function startPacedLoad(
  connection: NatsConnection,
  { keys, namespace, perSecond }: Pace,
): PacedLoad {
  const head = depositHeaders();
  const subjectOf = depositSubjects(namespace, keys);
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    while (sent < due) {
      connection.publish(subjectOf(sent), depositBytes, { headers: head });
      sent += 1;
    }
  }, 1);
  return {
    get sent() {
      return sent;
    },
    stop: () => clearInterval(timer),
  };
}
