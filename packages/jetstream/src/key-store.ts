/**
 * The keys of data subjects in a stream of their own, `<ns>-keys`, which no backup of the log
 * contains. It is made when it is used for the first time.
 *
 * A name's last message is its value, written with the expected sequence. A key is erased in two
 * steps: the note that it is gone is stored behind it, then everything before the note is deleted
 * in the way that overwrites it in the server's files. A crash in between leaves the note, and
 * doing it again finds the rest. DESIGN.md tells how the server treats the bytes.
 */
import type { StreamConfig } from "@nats-io/jetstream";
import { LogRefusedError, RevisionConflictError } from "@troupe/core/errors";
import type { KeyStore, Position, StoredKey } from "@troupe/core/log";

import { headerLine } from "./header-block.ts";
import { keepSubscribed } from "./kept-subscription.ts";
import { eraseBefore, keyStream } from "./key-stream.ts";
import { leaderGet } from "./leader-get.ts";
import { requireHere } from "./log-stream.ts";
import { isConflict, publishError } from "./publish-error.ts";
import { publish } from "./publish.ts";
import { retryUnavailable } from "./retry.ts";
import type { Session } from "./session.ts";
import { ensureStream } from "./streams.ts";

export interface KeyStoreOptions {
  readonly createStreams: boolean;
}

const streamNotFound = 10059;

function serverCodeOf(thrown: unknown): unknown {
  return thrown instanceof LogRefusedError ? thrown.details["serverCode"] : undefined;
}

export class JetStreamKeys implements KeyStore {
  readonly #session: Session;
  readonly #options: KeyStoreOptions;
  #stream: Promise<unknown> | undefined;

  constructor(session: Session, options: KeyStoreOptions) {
    this.#session = session;
    this.#options = options;
  }

  async read(name: string): Promise<StoredKey | undefined> {
    const { keyStream: stream } = this.#session.subjects;
    const wanted = { last_by_subj: this.#subject(name) };
    try {
      const found = await this.#patiently(() => leaderGet(this.#session, stream, wanted));
      if (found === undefined) return undefined;
      return { revision: found.seq, value: Buffer.from(found.data ?? "", "base64") };
    } catch (thrown) {
      if (serverCodeOf(thrown) !== streamNotFound) throw thrown;
      // Nobody has sealed anything yet, or the keys are in the namespace that the log was moved to.
      await this.#logHere();
      return undefined;
    }
  }

  async write(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position> {
    await this.#ensure();
    const subject = this.#subject(name);
    const lines = headerLine("Nats-Expected-Last-Subject-Sequence", expectedRevision);
    const ack = await publish(this.#session, { subject, lines, payload: value });
    if (ack.error === undefined) {
      this.#tell(name);
      return ack.seq;
    }
    if (!isConflict(ack.error)) throw publishError(ack.error, `The key ${name}`);
    throw new RevisionConflictError(
      `The key ${name} is not at revision ${expectedRevision} any more (${ack.error.description}); nothing was stored. Read it and decide again.`,
      { details: { name, expectedRevision, serverCode: ack.error.err_code } },
    );
  }

  async shred(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position> {
    const revision = await this.write(name, value, expectedRevision);
    const { keyStream: stream } = this.#session.subjects;
    await eraseBefore(this.#session, stream, { subject: this.#subject(name), before: revision });
    this.#tell(name);
    return revision;
  }

  onChange(listener: (name: string) => void): () => void {
    const { link, subjects } = this.#session;
    const kept = keepSubscribed(link.connection, subjects.keyChanges, (error, message) => {
      if (error === null) listener(message.string());
    });
    return () => kept.unsubscribe();
  }

  #subject(name: string): string {
    return this.#session.subjects.key(name);
  }

  /**
   * Tells others that a name changed; that may be lost, so a connection that is gone by now changes
   * nothing.
   */
  #tell(name: string): void {
    const { link, subjects } = this.#session;
    if (link.isUp) link.connection.publish(subjects.keyChanges, name);
  }

  #patiently<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
    return retryUnavailable(attempt, { timeoutMs: this.#session.acceptTimeoutMs });
  }

  #ensure(): Promise<unknown> {
    this.#stream ??= this.#make().catch((thrown: unknown) => {
      this.#stream = undefined;
      throw thrown;
    });
    return this.#stream;
  }

  /** As many replicas as the log has. */
  async #make(): Promise<unknown> {
    const { manager, subjects } = this.#session;
    const { num_replicas: replicas } = await this.#logHere();
    const wanted = keyStream(subjects, { replicas });
    return ensureStream(manager, wanted, this.#options.createStreams);
  }

  /** @throws LogMovedError */
  async #logHere(): Promise<StreamConfig> {
    const { manager, subjects } = this.#session;
    const { config } = await manager.streams.info(subjects.stream);
    requireHere(config);
    return config;
  }
}
