/**
 * Reads part of a stream in order, without a gap, each message once (LOG-3), within the credit it
 * was given (I7).
 *
 * It works through a consumer of its own that it may lose at any moment: held in memory, without
 * acknowledgements, and replaced by a new one that starts after the last message handed over.
 *
 * 1. Messages and bytes asked for and not yet delivered never exceed the credit (pull-credit.ts).
 * 2. A message is handed over only when its delivery number follows the last one. A gap means that
 *    something was lost between the server and here; the consumer is replaced and nothing after
 *    the gap is used.
 * 3. Messages for an older consumer are ignored: every consumer has its own inbox.
 * 4. A new consumer goes on only when the last message handed over still lies where it was: a
 *    stream that was made anew, restored or cut has other messages at the positions below, and
 *    would be read with a gap.
 * 5. No sign of life, a lost connection or a refused pull also replace the consumer, after a pause
 *    that doubles while nothing arrives.
 */
import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  ReplayPolicy,
  type ConsumerConfig,
} from "@nats-io/jetstream";
import { nanos, type Msg, type Subscription } from "@nats-io/nats-core";
import { TroupeError } from "@troupe/core";
import { LogRefusedError } from "@troupe/core/errors";
import { fitsLog, logChanged } from "@troupe/core/log";
import type { Cell, StoredAt } from "@troupe/core/log";

import { apiRequest } from "./api-request.ts";
import { readCell } from "./cells.ts";
import { AckSubjectReader, type AckSubject } from "./ack-subject.ts";
import { PermissionDeniedError } from "./errors.ts";
import { PullCredit } from "./pull-credit.ts";
import type { Session } from "./session.ts";
import { logEnd, messageAt } from "./stream-position.ts";

export interface PullRequest {
  readonly stream: string;
  /**
   * Filters of each consumer that is made. Several are expensive for the server far behind the end
   * of the stream (reader-scope.ts).
   */
  readonly filters: () => readonly string[];
  /** The first message is the first one after this sequence. */
  readonly after: number;
  /** Messages that may be handed over before `grant` is called. */
  readonly credit: number;
  /** The same in bytes. @default as many as fit into the connection's budget */
  readonly creditBytes?: number | undefined;
  /** Beginning of the consumers' names. */
  readonly name: string;
  /** The delivery is valid during the call. */
  readonly onMessage: (message: Msg, delivery: AckSubject) => void;
  /** Bytes of the credit that a message takes. @default its size on the wire */
  readonly bytesOf?: ((message: Msg) => number) | undefined;
  /** A consumer was made; so many messages match after the position at this moment. */
  readonly onStart?: ((pending: number, after: number) => void) | undefined;
  /** The server says no for good, for example to a filter; the reader tries again all the same. */
  readonly onRefused?: ((error: LogRefusedError | PermissionDeniedError) => void) | undefined;
  /** Called now and then with a position up to which nothing matches that was not handed over. */
  readonly onPassed?: ((position: number) => void) | undefined;
  /**
   * Called when the message that was handed over last is not there any more; the reader has ended.
   * Not looked for unless somebody listens.
   */
  readonly onLost?: ((error: TroupeError) => void) | undefined;
}

const expiresMs = 30_000;
const inactiveMs = 30_000;
const pauseMsMin = 20;
const pauseMsMax = 2000;
const missedBeatsMax = 2;

/** A consumer and the pulls that it was asked for. */
interface Source {
  readonly consumer: string;
  readonly inbox: string;
  readonly subscription: Subscription;
  readonly deliveries: AckSubjectReader;
  lastDelivery: number;
}

export class PullReader {
  readonly #session: Session;
  readonly #request: PullRequest;
  readonly #pullSubject: string;
  readonly #endStatus: () => void;
  readonly #beats: NodeJS.Timeout;
  #source: Source | undefined;
  #lastPosition: number;
  readonly #credit: PullCredit;
  /** Time at which the last message handed over was stored; undefined before the first. */
  #lastStoredAtMs: number | undefined;
  #heard = true;
  #missedBeats = 0;
  #consumers = 0;
  #pauseMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #creating: Promise<void> | undefined;
  #stopped = false;
  /** Set once it was told that there is no consumer. */
  #told = false;

  constructor(session: Session, request: PullRequest) {
    this.#session = session;
    this.#request = request;
    this.#pullSubject = `$JS.API.CONSUMER.MSG.NEXT.${request.stream}.`;
    this.#lastPosition = request.after;
    this.#credit = new PullCredit(request.credit, request.creditBytes ?? Infinity);
    session.pullBudget.join();
    this.#endStatus = session.link.onStatus((status) => {
      if (status === "connected") this.#restart();
      if (status === "disconnected") void this.#drop();
    });
    this.#beats = setInterval(() => this.#checkBeat(), session.readerHeartbeatMs);
    this.#restart();
  }

  /** Position of the last message handed over. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  grant(count: number, bytes = 0): void {
    this.#credit.grant(count, bytes);
    this.#pull();
  }

  /** Goes on with a new consumer, because other filters are better now. */
  renew(): void {
    this.#restart();
  }

  /**
   * Hands over nothing any more; resolves when the consumer is gone, or left for the server to
   * clean up.
   */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#session.pullBudget.leave();
    this.#endStatus();
    clearInterval(this.#beats);
    clearTimeout(this.#restartTimer);
    await this.#creating;
    await this.#drop();
  }

  /**
   * Asks for what the credit allows, in portions, so that one pull is always under way while there
   * is room.
   */
  #pull(): void {
    const source = this.#source;
    if (source === undefined || this.#stopped || !this.#session.link.isUp) return;
    const asked = this.#credit.next(this.#session.pullBudget.shareBytes);
    if (asked === undefined) return;
    const pull = {
      ...asked,
      expires: nanos(expiresMs),
      idle_heartbeat: nanos(this.#session.readerHeartbeatMs),
    };
    this.#session.link.connection.publish(
      this.#pullSubject + source.consumer,
      JSON.stringify(pull),
      {
        reply: source.inbox,
      },
    );
  }

  #receive(source: Source, message: Msg): void {
    if (source !== this.#source || this.#stopped) return;
    this.#heard = true;
    const delivery = source.deliveries.read(message.reply ?? "");
    if (delivery === undefined) {
      this.#receiveStatus(source, message);
      return;
    }
    const { position } = delivery;
    if (delivery.delivery !== source.lastDelivery + 1 || position <= this.#lastPosition) {
      this.#restart();
      return;
    }
    source.lastDelivery = delivery.delivery;
    this.#lastPosition = position;
    const wireBytes = sizeOf(message);
    this.#credit.received(wireBytes, this.#request.bytesOf?.(message) ?? wireBytes);
    this.#lastStoredAtMs = delivery.storedAtMs;
    this.#session.time.said(delivery.storedAtMs);
    this.#pauseMs = 0;
    this.#request.onMessage(message, delivery);
    this.#pull();
  }

  /**
   * Anything that is not a stored message: heartbeats, an expired pull, a consumer that is gone.
   */
  #receiveStatus(source: Source, message: Msg): void {
    const { headers } = message;
    const code = headers?.code ?? 0;
    if (headers !== undefined && code === 100) {
      const last = Number(headers.get("Nats-Last-Consumer") || source.lastDelivery);
      this.#pauseMs = 0;
      if (last > source.lastDelivery) this.#restart();
      else if (last === source.lastDelivery) this.#passed(headers.get("Nats-Last-Stream"));
      return;
    }
    const end = headers === undefined ? undefined : pullEnds.get(`${code} ${headers.description}`);
    if (end === undefined && code !== 404 && code !== 408) return this.#restart();
    // An answer in full is news only when its bytes ended before its messages.
    const isCounted = end === "in full" && headers?.get("Nats-Pending-Messages") === "0";
    if (!isCounted) this.#credit.ended(end === "too large");
    this.#pull();
  }

  /** A heartbeat says how far the server has looked for what matches. */
  #passed(lastStream: string): void {
    const position = Number(lastStream);
    if (position > this.#lastPosition) this.#request.onPassed?.(position);
  }

  #checkBeat(): void {
    if (this.#heard || !this.#credit.asks || this.#source === undefined) {
      this.#heard = false;
      this.#missedBeats = 0;
      return;
    }
    if (++this.#missedBeats >= missedBeatsMax) this.#restart();
  }

  /** Replaces the consumer, at once the first time, then after growing pauses. */
  #restart(): void {
    void this.#drop();
    if (this.#stopped || this.#restartTimer !== undefined || this.#creating !== undefined) return;
    const pauseMs = this.#pauseMs * (0.5 + Math.random());
    this.#pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, this.#pauseMs * 2));
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      if (!this.#session.link.isUp) return;
      this.#creating = this.#createOrRestart();
    }, pauseMs);
  }

  async #createOrRestart(): Promise<void> {
    const created = await this.#create();
    this.#creating = undefined;
    if (!created) this.#restart();
  }

  /**
   * Forgets the consumer; the server is asked to delete it, and does so by itself after a while.
   */
  async #drop(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    this.#credit.forget();
    if (source === undefined) return;
    if (this.#session.link.status === "closed") return;
    source.subscription.unsubscribe();
    if (this.#session.link.isUp) await this.#delete(source.consumer);
  }

  async #delete(consumer: string): Promise<void> {
    try {
      await apiRequest(this.#session, `CONSUMER.DELETE.${this.#request.stream}.${consumer}`, {});
    } catch {
      // It is gone already, or goes away when it has been inactive for long enough.
    }
  }

  /** Resolves to false when there is no consumer yet; never rejects. */
  async #create(): Promise<boolean> {
    const consumer = `${this.#request.name}-${++this.#consumers}`;
    const { stream } = this.#request;
    const filters = this.#request.filters();
    const filter = filters.length === 1 ? `.${filters[0] ?? ""}` : "";
    try {
      if (await this.#isLost()) return true;
      const info = await apiRequest<{ readonly num_pending: number }>(
        this.#session,
        `CONSUMER.CREATE.${stream}.${consumer}${filter}`,
        { stream_name: stream, config: this.#config(consumer, filters), action: "create" },
      );
      if (this.#stopped) {
        await this.#delete(consumer);
        return true;
      }
      this.#told = false;
      this.#begin(consumer);
      this.#request.onStart?.(info.num_pending, this.#lastPosition);
      this.#pull();
      return true;
    } catch (error) {
      const { onRefused } = this.#request;
      if (isForGood(error) && onRefused !== undefined) onRefused(error);
      else this.#tell(error);
      return false;
    }
  }

  /** The server says no: nothing is read meanwhile. Said once until it can be read again. */
  #tell(error: unknown): void {
    const isNo = error instanceof TroupeError && error.details?.["serverCode"] !== undefined;
    if (!isNo || this.#told || this.#stopped) return;
    this.#told = true;
    this.#session.faults.tell(`reading ${this.#request.stream} (${this.#request.name})`, error);
  }

  /** Looks whether the stream still has what was handed over last, and ends the reader if not. */
  async #isLost(): Promise<boolean> {
    const storedAtMs = this.#lastStoredAtMs;
    const { onLost, stream } = this.#request;
    if (storedAtMs === undefined || onLost === undefined) return false;
    const mark = { log: this.#session.log, position: this.#lastPosition, storedAtMs };
    const at = (position: number): Promise<StoredAt | undefined> =>
      messageAt(this.#session, stream, position);
    const end = (): ReturnType<typeof logEnd> => logEnd(this.#session, stream);
    const cell = (name: string): Promise<Cell | undefined> =>
      readCell(this.#session, name, { firm: true });
    if (await fitsLog({ at, cell, end }, mark)) return false;
    const error = logChanged(mark, await end());
    void this.stop();
    onLost(error);
    return true;
  }

  #begin(consumer: string): void {
    const { link, inbox: base } = this.#session;
    const inbox = `${base}.read.${consumer}`;
    const subscription = link.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) this.#receive(source, message);
      },
    });
    const deliveries = new AckSubjectReader(this.#request.stream, consumer);
    const source: Source = { consumer, inbox, subscription, deliveries, lastDelivery: 0 };
    this.#source = source;
    this.#credit.forget();
    this.#heard = true;
  }

  #config(consumer: string, filters: readonly string[]): Partial<ConsumerConfig> {
    return {
      name: consumer,
      ...(filters.length === 1
        ? { filter_subject: filters[0] ?? "" }
        : { filter_subjects: [...filters] }),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#lastPosition + 1,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: nanos(inactiveMs),
      mem_storage: true,
      num_replicas: 1,
    };
  }
}

/** A no that waiting does not change. A stream that is gone may be made anew, or be restored. */
function isForGood(error: unknown): error is LogRefusedError | PermissionDeniedError {
  if (error instanceof PermissionDeniedError) return true;
  if (!(error instanceof LogRefusedError)) return false;
  return error.details?.["serverCode"] !== JetStreamApiCodes.StreamNotFound;
}

/** Words with which the server ends pulls with a bound of bytes. */
const pullEnds: ReadonlyMap<string, "in full" | "too large"> = new Map([
  ["409 Batch Completed", "in full"],
  ["409 Message Size Exceeds MaxBytes", "too large"],
]);

/** Size as the server counts it; the client has it, and does not declare it. */
function sizeOf(message: Msg): number {
  const { size } = message as { readonly size?: () => number };
  return size === undefined ? message.data.byteLength : size.call(message);
}
