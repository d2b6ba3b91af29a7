/**
 * Reads the unroutable messages; as long as somebody does, relays take in foreign messages and what
 * shards keep for each other: one worker of a namespace at a time, by the engine's own assignment.
 */
import type { Reader, ReadRequest } from "@troupe/core/log";

import { PullReader } from "./pull-reader.ts";
import type { Relay } from "./relay.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

/** The relays of a connection, once, however many of its readers want them. */
export class SharedRelays {
  readonly #start: () => readonly Relay[];
  #users = 0;
  #relays: readonly Relay[] | undefined;

  constructor(start: () => readonly Relay[]) {
    this.#start = start;
  }

  use(): void {
    this.#users += 1;
    this.#relays ??= this.#start();
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const relays = this.#relays ?? [];
    this.#relays = undefined;
    await Promise.all(relays.map((relay) => relay.stop()));
  }
}

export function readUnroutable(
  session: Session,
  relays: SharedRelays,
  request: ReadRequest,
  name: string,
): Reader {
  const { subjects } = session;
  const { onInput, onLost } = request;
  relays.use();
  const reader = new PullReader(session, {
    stream: subjects.stream,
    filters: () => [subjects.unroutable],
    after: request.after,
    credit: request.credit,
    name,
    onLost,
    onMessage: (message, delivery) => {
      onInput(storedInput(subjects, message.subject, message, delivery));
    },
  });
  let stopping: Promise<unknown> | undefined;
  return {
    grant: (count) => reader.grant(count),
    stop: async () => {
      stopping ??= Promise.all([reader.stop(), relays.leave()]);
      await stopping;
    },
  };
}
