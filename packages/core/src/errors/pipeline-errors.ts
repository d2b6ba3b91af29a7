/** Errors with which a pipeline's job can end. */
import type { ErrorData } from "./troupe-error.ts";
import { TroupeError } from "./troupe-error.ts";

/** The `details` of a `PipelineStageError`. */
export interface StageFailure {
  readonly pipeline: string;
  readonly job: string;
  readonly stage: string;
  /** Number of the part, for a parallel stage. */
  readonly part?: number | undefined;
  /** The reason, as the stage's dead letter has it. */
  readonly failure: ErrorData;
}

/**
 * A stage of a pipeline's job failed for good, after its retries and its fall-back, or refused the
 * job. `details` names pipeline, job, stage and part; `cause` is the stage's own error. Redriving
 * the stage's dead letter lets the job go on.
 */
export class PipelineStageError extends TroupeError {
  readonly code = "pipeline-stage-failed";
  declare readonly details: Readonly<StageFailure & Record<string, unknown>>;

  static of(details: StageFailure): PipelineStageError {
    const { failure, job, part, pipeline, stage } = details;
    const where = part === undefined ? stage : `${stage}, at its part ${part}`;
    return new PipelineStageError(
      `The job ${job} of the pipeline ${pipeline} failed in its stage ${where}: ${failure.message} Look with "troupe inspect ${pipeline}/${job}"; to let it go on, redrive the stage's dead letter.`,
      { details: { ...details } },
    );
  }
}
