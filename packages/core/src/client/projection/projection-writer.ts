/**
 * The transactions of a running projection, one after the other, and its checkpoint.
 *
 *  PROJECT-1 Records are applied in log order, without a gap: a transaction moves the checkpoint
 *     from where the writer knows it to the last record of the batch, and the sink refuses to when
 *     it is not there (SINK-1).
 *  PROJECT-2 When it is not there, somebody else moved it, or a transaction went through whose
 *     answer was lost. Further on: records that are already in the model are left out. Back: it was
 *     rebuilt, so reading starts again from there.
 *  PROJECT-4 A poison event costs no neighbour: everything before it is kept, and with the policy
 *     `skip` everything after it too (I10).
 */
import type { Clock } from "../../clock/clock.ts";
import { NewerEventError } from "../../errors/event-errors.ts";
import { OutdatedProjectionError, SinkRefusedError } from "../../errors/projection-errors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isBehind, movedBy, reachedIn, startOf } from "./checkpoint.ts";
import type { ProjectedRecord } from "./projected-record.ts";
import { applyRecords, PoisonFound } from "./projected-record.ts";
import type { EmitProjectionEvent } from "./projection-feed.ts";
import type { ProjectSettings } from "./projection-settings.ts";
import type { ProjectionSink } from "./projection-sink.ts";
import type { ReadModel } from "./read-model.ts";
import type { ProjectionDefinition } from "./projection.ts";

export interface WriterHost {
  readonly clock: Clock;
  readonly settings: ProjectSettings;
  readonly emit: EmitProjectionEvent;
  /** Number of shards of the log that is read. */
  readonly shards: number;
  /** Records that were not given to the writer yet. */
  readonly unwritten: () => number;
}

export class ProjectionWriter<Model extends ReadModel> {
  readonly #projection: ProjectionDefinition;
  readonly #sink: ProjectionSink<Model>;
  readonly #host: WriterHost;
  readonly #skipped = new Set<string>();
  #checkpoint: Checkpoint;
  #applied = 0;

  constructor(projection: ProjectionDefinition, sink: ProjectionSink<Model>, host: WriterHost) {
    this.#projection = projection;
    this.#sink = sink;
    this.#host = host;
    this.#checkpoint = startOf(projection);
  }

  /** The stored checkpoint, as of the last transaction. */
  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  get applied(): number {
    return this.#applied;
  }

  get skipped(): number {
    return this.#skipped.size;
  }

  /** Makes the model if it is not there, or anew. @throws OutdatedProjectionError */
  async open({ rebuild }: { readonly rebuild: boolean }): Promise<void> {
    const opened = await this.#sink.open(this.#projection);
    this.#requireVersion(opened);
    this.#checkpoint = rebuild ? await this.#sink.reset(this.#projection) : opened;
  }

  /**
   * Returns when all of the batch is in the model, or the checkpoint was moved back (PROJECT-2).
   * @throws PoisonEventError, SinkUnavailableError, SinkRefusedError, OutdatedProjectionError
   */
  async write(batch: readonly ProjectedRecord[], signal: AbortSignal): Promise<void> {
    let rest = batch;
    for (;;) {
      const start = this.#checkpoint;
      rest = rest.filter(({ position, shard }) => position > reachedIn(start, shard));
      if (rest.length === 0) return;
      try {
        await this.#transact(rest);
      } catch (thrown) {
        if (!(thrown instanceof PoisonFound)) throw thrown;
        await this.#poisoned(thrown, rest);
      }
      if (isBehind(this.#checkpoint, start, this.#host.shards) || signal.aborted) return;
    }
  }

  /** Applies records in one transaction; afterwards the checkpoint is the one that is stored. */
  async #transact(records: readonly ProjectedRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { clock, emit, shards, unwritten } = this.#host;
    const startedAtMs = clock.monotonicMs();
    let events: number | undefined;
    const from = this.#checkpoint;
    const move = { from, to: movedBy(from, records, shards) };
    const stored = await this.#sink.apply(this.#projection, move, async (handle) => {
      const skipped = this.#skipped;
      events = await applyRecords(this.#projection, records, { handle, skipped });
    });
    this.#requireVersion(stored);
    this.#checkpoint = stored;
    if (events === undefined) return;
    this.#applied += events;
    emit({
      kind: "projection.applied",
      records: records.length,
      events,
      position: stored.position,
      lag: unwritten(),
      tookMs: clock.monotonicMs() - startedAtMs,
    });
  }

  /**
   * Handles a poison event by policy (PROJECT-4): the event is left out from now on, or everything
   * before it is kept.
   */
  async #poisoned(found: PoisonFound, records: readonly ProjectedRecord[]): Promise<void> {
    const { error, place, record } = found;
    const { settings, emit } = this.#host;
    // An event of newer code is no poison: a runner with that code can handle it.
    if (settings.poison === "stop" || error.cause instanceof NewerEventError) {
      await this.#transact(records.slice(0, records.indexOf(record)));
      throw error;
    }
    this.#skipped.add(place);
    const { agent, position } = record;
    emit({ kind: "projection.skipped", agent, position, failure: error.toData() });
  }

  #requireVersion({ version: stored }: Checkpoint): void {
    const { name, version } = this.#projection;
    const details = { projection: name, stored, version };
    if (stored > version) {
      throw new OutdatedProjectionError(
        `The read model of ${name} has version ${stored}, this code has ${version}: update it.`,
        { details },
      );
    }
    if (stored < version) {
      throw new SinkRefusedError(
        `The read model of ${name} has version ${stored} and was not made anew for ${version}.`,
        { details },
      );
    }
  }
}
