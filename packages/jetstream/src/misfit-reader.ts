/**
 * Reads the messages nobody can address: those on public subjects with too many or too few tokens.
 *
 * They lie on two subjects. One consumer with both as filters would have to look at every message of the stream,
 * so there are two readers, which share the credit.
 */
import type { Msg } from "@nats-io/nats-core";
import type { Reader, ReadRequest } from "@troupe/core";

import type { Delivery } from "./delivery.ts";
import { PullReader } from "./pull-reader.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";

export function readMisfits(session: Session, request: ReadRequest, name: string): Reader {
  return new MisfitReader(session, request, name);
}

class MisfitReader implements Reader {
  readonly #readers: readonly PullReader[];
  /** Inputs that arrived without credit, at most one per reader. */
  readonly #held: (() => void)[] = [];
  #credit: number;
  #stopped = false;

  constructor(session: Session, request: ReadRequest, name: string) {
    const { subjects } = session;
    this.#credit = request.credit;
    this.#readers = subjects.misfits.map(
      (filter, index): PullReader =>
        new PullReader(session, {
          stream: subjects.stream,
          filters: [filter],
          after: request.after,
          credit: 1,
          name: `${name}-${index}`,
          onMessage: (message: Msg, delivery: Delivery) => {
            const input = storedInput(subjects, message.subject, message, delivery);
            this.#offer(() => {
              request.onInput(input);
              this.#readers[index]?.grant(1);
            });
          },
        }),
    );
  }

  grant(count: number): void {
    this.#credit += count;
    this.#handOver();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#held.length = 0;
    await Promise.all(this.#readers.map((reader) => reader.stop()));
  }

  #offer(handOver: () => void): void {
    this.#held.push(handOver);
    this.#handOver();
  }

  #handOver(): void {
    while (this.#credit > 0 && !this.#stopped) {
      const handOver = this.#held.shift();
      if (handOver === undefined) return;
      this.#credit--;
      handOver();
    }
  }
}
