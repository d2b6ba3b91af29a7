/**
 * The sink port: a projection keeps its read model and its checkpoint there.
 *
 * A projection is exact by one rule, SINK-1, and nothing else: no acknowledgement, no lease.
 *
 *  SINK-1 `apply` changes the model and moves the checkpoint in one transaction, and only if the
 *     checkpoint is still the one the runner started from. So nothing is applied twice, however
 *     many runners there are, wherever one of them dies, and whether or not it heard the answer.
 *  SINK-2 When `apply` rejects, both are as before, or both are as after it.
 *  SINK-3 `open` makes the model on first use, and makes it anew, empty, when the stored version is
 *     lower than the projection's. Making it and setting the checkpoint is one transaction too.
 */
import type { ReadModel } from "./read-model.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { ProjectionDefinition } from "./projection.ts";

export interface CheckpointMove {
  readonly from: Checkpoint;
  readonly to: Checkpoint;
}

export interface ProjectionSink<Model extends ReadModel> {
  readonly kind: "projection-sink";
  /** The read models it holds. */
  readonly medium: string;
  /** Only for type inference; never present at run time. */
  readonly "~accepts"?: (model: Model) => void;

  /** The checkpoint of the projection, after making what is not there yet (SINK-3). */
  open(projection: ProjectionDefinition): Promise<Checkpoint>;

  /**
   * Runs `work` and moves the checkpoint, in one transaction (SINK-1); returns the stored
   * checkpoint: `to`, or another one, and then `work` did not run and nothing was changed.
   *
   * @throws SinkUnavailableError (the outcome may be unknown), SinkRefusedError, or what `work`
   *   threw (nothing was changed)
   */
  apply(
    projection: ProjectionDefinition,
    move: CheckpointMove,
    work: (handle: unknown) => Promise<void>,
  ): Promise<Checkpoint>;

  /** Throws the model and its checkpoint away and makes them anew, empty, in one transaction. */
  reset(projection: ProjectionDefinition): Promise<Checkpoint>;
}
