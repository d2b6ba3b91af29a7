/**
 * Reads the messages nobody can address: those on public subjects with too many or too few tokens.
 *
 * They lie on two subjects. One consumer with both as filters would have to look at every message
 * of the stream, so there are two readers, which share the credit. Each holds back at most one
 * message until it is known that the other one has nothing before it: log order is what makes the
 * position of the last one handled a safe place to go on from. Misfits are rare, so one question to
 * the stream per message is no burden.
 */
import type { Msg } from "@nats-io/nats-core";
import type { Input, Reader, ReadRequest } from "@troupe/core";

import type { Delivery } from "./delivery.ts";
import { PullReader } from "./pull-reader.ts";
import type { Session } from "./session.ts";
import { storedInput } from "./stored-input.ts";
import { nextPosition } from "./stream-position.ts";

const retryMs = 1000;

interface Lane {
  readonly filter: string;
  readonly reader: PullReader;
  held: Input | undefined;
  /** Everything up to here was handed over, is held, or is not of this lane. */
  knownUpTo: number;
}

export class MisfitReader implements Reader {
  readonly #session: Session;
  readonly #onInput: (input: Input) => void;
  readonly #lanes: readonly Lane[];
  #credit: number;
  #arrived = false;
  #working = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(session: Session, request: ReadRequest, name: string) {
    this.#session = session;
    this.#credit = request.credit;
    this.#onInput = request.onInput;
    this.#lanes = session.subjects.misfits.map((filter, index) =>
      this.#lane(filter, request.after, `${name}-${index}`),
    );
  }

  grant(count: number): void {
    this.#credit += count;
    void this.#handOver();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    await Promise.all(this.#lanes.map((lane) => lane.reader.stop()));
  }

  #lane(filter: string, after: number, name: string): Lane {
    const { subjects } = this.#session;
    const onMessage = (message: Msg, delivery: Delivery): void => {
      lane.held = storedInput(subjects, message.subject, message, delivery);
      lane.knownUpTo = delivery.position;
      void this.#handOver();
    };
    const { stream } = subjects;
    const request = { stream, filters: [filter], after, credit: 1, name, onMessage };
    const lane: Lane = {
      filter,
      reader: new PullReader(this.#session, request),
      held: undefined,
      knownUpTo: after,
    };
    return lane;
  }

  async #handOver(): Promise<void> {
    this.#arrived = true;
    if (this.#working) return;
    this.#working = true;
    try {
      while (this.#arrived && this.#credit > 0 && !this.#stopped) {
        this.#arrived = false;
        await this.#handOverKnown();
      }
    } catch {
      // The stream has not answered for long. What is held stays held; the question is asked again.
      this.#retryTimer = setTimeout(() => void this.#handOver(), retryMs);
    } finally {
      this.#working = false;
    }
  }

  /** Hands over until credit, messages or knowledge run out. */
  async #handOverKnown(): Promise<void> {
    for (;;) {
      const lane = await this.#next();
      if (lane?.held === undefined || this.#credit < 1 || this.#stopped) return;
      const { held } = lane;
      lane.held = undefined;
      this.#credit--;
      this.#onInput(held);
      lane.reader.grant(1);
    }
  }

  /** The lane whose held message is the next in the log; undefined while that is not known. */
  async #next(): Promise<Lane | undefined> {
    for (;;) {
      const first = earliest(this.#lanes);
      const position = first?.held?.position ?? 0;
      const unsure = this.#lanes.find((lane) => lane.knownUpTo < position);
      if (unsure === undefined) return first;
      const next = await nextPosition(this.#session, unsure.filter, unsure.knownUpTo);
      // An earlier one is on its way: its arrival starts this again.
      if (next !== undefined && next < position) return undefined;
      unsure.knownUpTo = Math.max(unsure.knownUpTo, position);
    }
  }
}

function earliest(lanes: readonly Lane[]): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) {
    if (lane.held === undefined) continue;
    if (first?.held === undefined || lane.held.position < first.held.position) first = lane;
  }
  return first;
}
