/**
 * Channel on which workers tell each other the waits of their turns: sent and not stored (LOG-5).
 */
import type { AskWait, WaitReport } from "@troupe/core/log";

import { keepSubscribed } from "./kept-subscription.ts";
import type { Session } from "./session.ts";

export class WaitChannel {
  readonly #session: Session;
  readonly #listeners = new Set<(report: WaitReport) => void>();
  #hears = false;

  constructor(session: Session) {
    this.#session = session;
  }

  announce(report: WaitReport): void {
    const { link, subjects } = this.#session;
    if (!link.isUp) return;
    try {
      link.connection.publish(subjects.waits, Buffer.from(JSON.stringify(report)));
    } catch {
      // It is larger than a message may be: a waiting turn runs into the deadline.
    }
  }

  listen(listener: (report: WaitReport) => void): () => void {
    this.#hear();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #hear(): void {
    if (this.#hears) return;
    this.#hears = true;
    const { link, subjects } = this.#session;
    keepSubscribed(link.connection, subjects.waits, (error, message) => {
      const report = error === null ? parseReport(message.data) : undefined;
      if (report === undefined) return;
      for (const listener of this.#listeners) listener(report);
    });
  }
}

function parseReport(data: Uint8Array): WaitReport | undefined {
  try {
    const { waits, worker } = JSON.parse(Buffer.from(data).toString()) as Partial<WaitReport>;
    if (typeof worker !== "string" || !Array.isArray(waits)) return undefined;
    return waits.every(isWait) ? { worker, waits } : undefined;
  } catch {
    return undefined;
  }
}

function isWait(value: unknown): value is AskWait {
  const { ask, callee, caller } = (value ?? {}) as Partial<AskWait>;
  return [ask, callee, caller].every((text) => typeof text === "string");
}
