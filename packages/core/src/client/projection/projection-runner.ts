/**
 * Runs a projection: reads the records of its agents in log order and gives them to the writer in
 * batches, until it is stopped or an error ends it. (PROJECT-1, PROJECT-2 and PROJECT-4 are the
 * writer's.)
 *
 *  PROJECT-3 Reading ahead is bounded (I7), and goes on while a transaction is under way.
 *  PROJECT-5 After a failure that may pass, reading starts again from the stored checkpoint, after
 *     a pause that grows; any other failure ends the run, and the inspection feed says so.
 */
import { thrownText, tryRead } from "../../errors/thrown.ts";
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../clock/random.ts";
import { StoppedError } from "../../errors/definition-errors.ts";
import { LogUnavailableError } from "../../errors/log-errors.ts";
import { errorData, TroupeError } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../../engine/inspection/inspection-feed.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import { backoffMs, retryPolicyDefault } from "../../definition/retry-policy.ts";
import { Beginnings } from "./beginnings.ts";
import { Changes } from "./changes.ts";
import { isBehind, reachedIn } from "./checkpoint.ts";
import { projectedRecord } from "./projected-record.ts";
import type { EmitProjectionEvent } from "./projection-feed.ts";
import { projectionFeed } from "./projection-feed.ts";
import { lastRecords, recordsAfter, verifyCheckpoint } from "./projection-log.ts";
import type { ProjectSettings } from "./projection-settings.ts";
import type { ProjectionSink } from "./projection-sink.ts";
import type { ReadModel } from "./read-model.ts";
import { ProjectionWriter } from "./projection-writer.ts";
import type { ProjectionDefinition } from "./projection.ts";
import { RecordQueue } from "./record-queue.ts";
import type { RunningProjection } from "./running-projection.ts";

export interface ProjectionHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly feed: InspectionFeed;
  readonly settings: ProjectSettings;
  /** Stops the run. */
  readonly signal: AbortSignal | undefined;
  readonly onEnded: () => void;
}

export class ProjectionRunner<Model extends ReadModel> implements RunningProjection {
  readonly #projection: ProjectionDefinition;
  readonly #host: ProjectionHost;
  readonly #emit: EmitProjectionEvent;
  readonly #writer: ProjectionWriter<Model>;
  readonly #stopping = new AbortController();
  readonly #changes = new Changes();
  readonly #ended = Promise.withResolvers<void>();
  readonly #onAbort = (): void => void this.stop();
  #queue: RecordQueue;
  /** Matching records after the last one that was read; undefined before the log said so. */
  #unread: number | undefined;
  /** Records that were read and are not in the model. */
  #unapplied = 0;
  /** Number of them that are in the transaction under way. */
  #inTransaction = 0;
  #outcome: { readonly failure: Error | undefined } | undefined;

  constructor(projection: ProjectionDefinition, sink: ProjectionSink<Model>, host: ProjectionHost) {
    const { clock, feed, settings } = host;
    this.#projection = projection;
    this.#host = host;
    this.#emit = projectionFeed(feed, projection);
    const unwritten = (): number => this.lag - this.#inTransaction;
    this.#writer = new ProjectionWriter(projection, sink, {
      clock,
      settings,
      emit: this.#emit,
      shards: host.log.shards,
      unwritten,
    });
    this.#queue = new RecordQueue(settings, clock);
    host.signal?.addEventListener("abort", this.#onAbort, { once: true });
    // A caller that does not wait for the end hears of it in the inspection feed.
    this.#ended.promise.catch(() => undefined);
  }

  get name(): string {
    return this.#projection.name;
  }

  get version(): number {
    return this.#projection.version;
  }

  get position(): Position {
    return this.#writer.checkpoint.position;
  }

  get lag(): number {
    return (this.#unread ?? 0) + this.#unapplied;
  }

  get applied(): number {
    return this.#writer.applied;
  }

  get skipped(): number {
    return this.#writer.skipped;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Opens the sink and starts to read; resolves when the log said how much there is to do. */
  async start(): Promise<void> {
    const { log, settings, signal } = this.#host;
    try {
      signal?.throwIfAborted();
      await this.#writer.open(settings);
      await verifyCheckpoint(log, this.#projection, this.#writer.checkpoint);
    } catch (thrown) {
      this.#end(thrown);
      throw thrown;
    }
    this.#emit({ kind: "projection.started", version: this.version, after: this.position });
    void this.#run();
    await this.#changes.until(() => this.#unread !== undefined || this.#outcome !== undefined);
    if (this.#outcome?.failure !== undefined) throw this.#outcome.failure;
  }

  async caughtUp(signal?: AbortSignal): Promise<void> {
    const { log, settings } = this.#host;
    await this.#until(() => this.lag <= settings.readAheadMax, signal);
    // The lag does not know yet what was stored a moment ago, so the log is asked.
    const request = { after: this.#writer.checkpoint, signal };
    const lasts = await lastRecords(log, this.#projection, request);
    const hasAll = (): boolean =>
      lasts.every((last, shard) => reachedIn(this.#writer.checkpoint, shard) >= last);
    await this.#until(hasAll, signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.end();
    this.#changes.tell();
    await this.#ended.promise.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #until(condition: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    await this.#changes.until(() => this.#outcome !== undefined || condition(), signal);
    if (condition() || this.#outcome === undefined) return;
    throw this.#outcome.failure ?? new StoppedError(`The projection ${this.name} was stopped.`);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const before = this.#writer.checkpoint;
      try {
        await this.#follow();
        failures = 0;
      } catch (thrown) {
        failures = isBehind(before, this.#writer.checkpoint, this.#host.log.shards)
          ? 1
          : failures + 1;
        if (!(await this.#waitsAfter(thrown, failures))) return this.#end(thrown);
      }
    }
    this.#end(undefined);
  }

  /** Reads from the checkpoint on and applies; returns when reading must start again. */
  async #follow(): Promise<void> {
    const reading = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, reading.signal]);
    const queue = new RecordQueue(this.#host.settings, this.#host.clock);
    this.#queue = queue;
    this.#unapplied = 0;
    const pump = this.#pump(queue, signal);
    try {
      for (;;) {
        const batch = await queue.take();
        if (batch.length === 0 || signal.aborted) return;
        const start = this.#writer.checkpoint;
        this.#inTransaction = batch.length;
        await this.#writer.write(batch, signal);
        this.#inTransaction = 0;
        this.#unapplied -= batch.length;
        this.#changes.tell();
        if (isBehind(this.#writer.checkpoint, start, this.#host.log.shards)) return;
      }
    } finally {
      this.#inTransaction = 0;
      reading.abort();
      queue.end();
      await pump;
    }
  }

  async #pump(queue: RecordQueue, signal: AbortSignal): Promise<void> {
    const { log } = this.#host;
    const beginnings = new Beginnings(this.position);
    let isFirst = true;
    let pending = 0;
    const onPending = (count: number): void => {
      pending = count;
      if (isFirst) this.#read(0, pending);
      isFirst = false;
    };
    const request = { after: this.#writer.checkpoint, onPending, signal };
    try {
      for await (const entry of recordsAfter(log, this.#projection, request)) {
        this.#read(1, pending);
        const projected = projectedRecord(log, this.#projection, entry);
        const record = projected instanceof Promise ? await projected : projected;
        const turn = beginnings.read(record, pending);
        if (turn !== undefined) this.#emit({ kind: "projection.begins", agent: entry.agent, turn });
        await queue.push(record);
      }
      const failure = new LogUnavailableError("The log ended the following by itself.");
      queue.end(signal.aborted ? undefined : failure);
    } catch (thrown) {
      queue.end(errorOf(thrown));
    }
  }

  #read(records: number, unread: number): void {
    this.#unapplied += records;
    this.#unread = unread;
    this.#changes.tell();
  }

  /** Waits before the next try; false when there is none. */
  async #waitsAfter(thrown: unknown, failures: number): Promise<boolean> {
    const { clock, random, settings } = this.#host;
    const { signal } = this.#stopping;
    const isRetryable = thrown instanceof TroupeError && thrown.retryable;
    if (signal.aborted || !isRetryable || failures >= settings.retry.attemptsMax) return false;
    const delayMs = backoffMs({ ...retryPolicyDefault, ...settings.retry }, failures, random);
    const failure = errorData(thrown);
    this.#emit({ kind: "projection.retrying", attempt: failures, delayMs, failure });
    let isOver = false;
    const cancel = clock.after(delayMs, () => {
      isOver = true;
      this.#changes.tell();
    });
    await this.#changes.until(() => isOver || signal.aborted);
    cancel();
    return true;
  }

  #end(thrown: unknown): void {
    const isStop = thrown === undefined || this.#stopping.signal.aborted;
    const failure = isStop ? undefined : errorOf(thrown);
    this.#outcome = { failure };
    this.#emit({
      kind: "projection.stopped",
      position: this.position,
      failure: failure && errorData(failure),
    });
    this.#host.signal?.removeEventListener("abort", this.#onAbort);
    this.#host.onEnded();
    this.#changes.tell();
    if (failure === undefined) this.#ended.resolve();
    else this.#ended.reject(failure);
  }
}

function errorOf(thrown: unknown): Error {
  return tryRead(() => thrown instanceof Error, false)
    ? (thrown as Error)
    : new Error(thrownText(thrown), { cause: thrown });
}
