/**
 * A relay: it takes what lies in another stream into one of the log's, once. From the ingress it
 * takes what foreign clients wrote (I14, LOG-9), from a shard what that keeps for this one
 * (SHARD-1).
 *
 *  RELAY-1 Messages are taken in the order of their stream, in atomic batches. Each batch ends with
 *     a marker that says up to where that stream is taken, and expects the last marker to be the
 *     one this relay knows. So each message is taken once, however relays overlap or are
 *     interrupted.
 *  RELAY-2 The source is purged only up to a stored marker: a message that the log has not taken is
 *     never lost.
 *  RELAY-3 A marker names the stream it is about. A stream that was made anew is read from its
 *     beginning, and that is said: twice is better than not at all. One that was put back to an
 *     earlier time is read from its beginning, too, without what the marker covers.
 *  RELAY-4 One message that cannot be stored costs itself: it is found by halving, and becomes an
 *          unroutable message.
 */
import { LogRefusedError, RevisionConflictError } from "@troupe/core/errors";
import type { Position } from "@troupe/core/log";

import { publishBatch } from "./atomic-batch.ts";
import type { DraftMessage } from "./draft-message.ts";
import type { ForeignMessage } from "./foreign-message.ts";
import { headerLine } from "./header-block.ts";
import { headerText } from "./header-text.ts";
import { RelayPurge } from "./relay-purge.ts";
import { isTaken, lastTaken, type Marker, type Taken } from "./relay-taken.ts";
import { isConflict, publishError } from "./publish-error.ts";
import { PullReader } from "./pull-reader.ts";
import type { RelaySource } from "./relay-source.ts";
import { pauseMsAfter } from "./retry.ts";
import type { Session } from "./session.ts";

/** Messages in memory at once: a batch that is being stored, and those of the next ones. */
const windowMax = 1024;
const windowBytesMax = 16 * 1024 * 1024;
/** A batch takes the server about the same time whatever its size, and others wait for it. */
const batchMax = 500;
const batchBytesMax = 4 * 1024 * 1024;

/** A message of the source, and when that stored it. */
interface TimedMessage extends ForeignMessage {
  readonly storedAtMs: number;
}

export class Relay {
  readonly #session: Session;
  readonly #source: RelaySource;
  readonly #purge: RelayPurge;
  readonly #running: Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  #waiting: TimedMessage[] = [];
  /** The consumer was replaced: it may read another stream by now. */
  #uncertain = false;
  #wake: () => void = nothing;
  #batches = 0;
  #stopped = false;

  /** @param session of the shard into which it takes */
  constructor(session: Session, source: RelaySource) {
    this.#session = session;
    this.#source = source;
    this.#purge = new RelayPurge(session, source);
    this.#running = this.#run();
  }

  /** Resolves when nothing more is taken. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ended.resolve();
    this.#wake();
    await this.#running;
    this.#purge.stop();
  }

  /** Takes until it is stopped; after any failure it begins again from the last marker. */
  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopped;) {
      try {
        await this.#take(() => (failures = 0));
      } catch (thrown) {
        failures += 1;
        // Another relay was quicker: no trouble, and nothing to tell.
        if (!(thrown instanceof RevisionConflictError)) this.#tell(thrown);
        await this.#pause(pauseMsAfter(failures) * (0.5 + Math.random()));
      }
    }
  }

  async #take(onStored: () => void): Promise<void> {
    let taken = await lastTaken(this.#session, this.#source);
    if (this.#stopped) return;
    this.#waiting = [];
    this.#uncertain = false;
    const reader = this.#read(taken);
    try {
      for (;;) {
        const messages = await this.#next();
        if (messages === undefined) return;
        taken = await this.#store(messages, taken);
        onStored();
        this.#purge.took(messages.map(({ sequence }) => sequence));
        reader.grant(
          messages.length,
          messages.reduce((sum, message) => sum + bytesOf(message), 0),
        );
      }
    } finally {
      await reader.stop();
    }
  }

  /**
   * From the beginning, because a restored ingress gives numbers again; taken messages were purged.
   */
  #read(taken: Taken): PullReader {
    const { filter, name, stream } = this.#source;
    let starts = 0;
    const reader: PullReader = new PullReader(this.#session, {
      stream,
      filters: () => [filter],
      after: 0,
      credit: windowMax,
      creditBytes: windowBytesMax,
      bytesOf: (message) => bytesOf({ block: headerText(message), payload: message.data }),
      name: `${name}-${this.#session.id}`,
      onMessage: (message, { position: sequence, storedAtMs }) => {
        const { data: payload, subject } = message;
        const foreign = { subject, block: headerText(message), payload, sequence, storedAtMs };
        if (isTaken(taken, foreign)) {
          this.#purge.took([sequence]);
          return reader.grant(1, bytesOf(foreign));
        }
        this.#waiting.push(foreign);
        this.#wake();
      },
      onStart: () => {
        starts += 1;
        this.#uncertain ||= starts > 1;
        this.#wake();
      },
      onRefused: (error) => this.#tell(error),
    });
    return reader;
  }

  /** The next messages for one batch; undefined when this round is over. */
  async #next(): Promise<readonly TimedMessage[] | undefined> {
    while (this.#waiting.length === 0 && !this.#stopped && !this.#uncertain) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#stopped || this.#uncertain) return undefined;
    let bytes = 0;
    const count = this.#waiting.findIndex(
      ({ payload }, index) => (bytes += payload.length) > batchBytesMax || index >= batchMax,
    );
    return this.#waiting.splice(0, count < 0 ? batchMax : Math.max(1, count));
  }

  /** RELAY-1, RELAY-4 */
  async #store(messages: readonly TimedMessage[], taken: Taken): Promise<Taken> {
    try {
      const drafts = messages.map((message) => this.#source.draft(message));
      return await this.#storeBatch(drafts, takenUpTo(messages, taken));
    } catch (thrown) {
      if (!(thrown instanceof LogRefusedError)) throw thrown;
      const [first, second] = messages;
      if (second === undefined && first !== undefined) {
        // The log refuses even this one message, so only where it was and why is kept.
        const unroutable = this.#source.refused({ ...first, payload: new Uint8Array() }, thrown);
        return this.#storeBatch([unroutable], takenUpTo([first], taken));
      }
      const middle = Math.ceil(messages.length / 2);
      const half = await this.#store(messages.slice(0, middle), taken);
      return this.#store(messages.slice(middle), half);
    }
  }

  /** Resolves with where the ingress is taken now; `taken` still has the revision before. */
  async #storeBatch(drafts: readonly DraftMessage[], taken: Taken): Promise<Taken> {
    const marker: DraftMessage = {
      subject: this.#source.marker,
      lines: headerLine("Nats-Expected-Last-Subject-Sequence", taken.revision),
      payload: Buffer.from(JSON.stringify(markerOf(taken))),
    };
    const revision = await this.#publish([...drafts, marker]);
    return { ...taken, revision };
  }

  #publish(messages: readonly DraftMessage[]): Promise<Position> {
    const id = `${this.#session.id}-${this.#source.name}-${++this.#batches}`;
    return new Promise((resolve, reject) => {
      publishBatch(this.#session, id, messages, {
        onReply: (reply) => {
          const { error, seq } = this.#session.readPubAck(reply.data);
          if (error === undefined) resolve(seq);
          else if (!isConflict(error)) reject(publishError(error, "What a relay takes"));
          else reject(new RevisionConflictError("Another relay took it."));
          return false;
        },
        onFailure: reject,
      });
    });
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#ended.promise]);
    clearTimeout(timer);
  }

  #tell(thrown: unknown): void {
    if (!this.#stopped) this.#session.faults.tell(this.#source.what, thrown);
  }
}

/** State after these messages are taken, too; `taken` still has the revision before. */
function takenUpTo(messages: readonly TimedMessage[], taken: Taken): Taken {
  const sequence = messages.at(-1)?.sequence ?? taken.sequence;
  // The server's clock may have been set back between two messages.
  const atMs = messages.reduce((last, { storedAtMs }) => Math.max(last, storedAtMs), taken.atMs);
  return { ...taken, isRestored: false, sequence, atMs };
}

function markerOf({ atMs, ingress, made, sequence }: Taken): Marker {
  return { ingress, made, sequence, atMs };
}

/** Bytes that a message takes in memory, roughly. */
function bytesOf({ block, payload }: Pick<ForeignMessage, "block" | "payload">): number {
  return block.length + payload.length;
}

function nothing(): void {
  // Nobody waits yet.
}
