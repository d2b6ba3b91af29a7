/**
 * Reads the misfits, and takes in foreign messages as long as somebody does: one worker of a
 * namespace at a time, by the engine's own assignment.
 */
import type { Reader, ReadRequest } from "@troupe/core";

import { IngressRelay } from "./ingress-relay.ts";
import { PullReader } from "./pull-reader.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

/** The one relay of a connection, however many of its readers want it. */
export class SharedRelay {
  readonly #session: Session;
  #users = 0;
  #relay: IngressRelay | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  use(): void {
    this.#users += 1;
    this.#relay ??= new IngressRelay(this.#session);
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const relay = this.#relay;
    this.#relay = undefined;
    await relay?.stop();
  }
}

export function readMisfits(
  session: Session,
  relay: SharedRelay,
  request: ReadRequest,
  name: string,
): Reader {
  const { subjects } = session;
  const { onInput, onLost } = request;
  relay.use();
  const reader = new PullReader(session, {
    stream: subjects.stream,
    filters: () => [subjects.misfit],
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
      stopping ??= Promise.all([reader.stop(), relay.leave()]);
      await stopping;
    },
  };
}
