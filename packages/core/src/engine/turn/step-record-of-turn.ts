/** The journal's record of a turn that is still running. */
import type { RecordedStep } from "../../journal/recorded-step.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import type { OpenTurn } from "./open-turn.ts";

export function stepRecordOfTurn(turn: OpenTurn, steps: readonly RecordedStep[]): StepRecord {
  const { delivery, host, startedAtMs } = turn;
  const { digests, id: log } = host.identity;
  const hasDigests = steps.some(({ digest }) => digest !== undefined);
  return {
    log,
    inputPosition: delivery.input.position,
    steps,
    worker: host.worker,
    digestKey: hasDigests ? digests.keyId : undefined,
    startedAtMs,
    // Once: failed runs that the journal has are not told again.
    earlierRuns: delivery.failedRuns,
  };
}
