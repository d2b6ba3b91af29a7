/** All rules of the turn engine, as checks. */
import type { LogCheck } from "../log-harness.ts";
import { afterFailureChecks } from "./after-failure-checks.ts";
import { answerLaterChecks } from "./answer-later-checks.ts";
import { askChecks } from "./ask-checks.ts";
import { backlogChecks } from "./backlog-checks.ts";
import { badInputChecks } from "./bad-input-checks.ts";
import { batchChecks } from "./batch-checks.ts";
import { callCycleChecks } from "./call-cycle-checks.ts";
import { clockChecks } from "./clock-checks.ts";
import { commitChecks } from "./commit-checks.ts";
import { deadlineChecks } from "./deadline-checks.ts";
import { erasureChecks } from "./erasure-checks.ts";
import { erasureEndedChecks } from "./erasure-ended-checks.ts";
import { erasureDeferredChecks } from "./erasure-deferred-checks.ts";
import { erasureResumedChecks } from "./erasure-resumed-checks.ts";
import { failingBatchChecks } from "./failing-batch-checks.ts";
import { failureChecks } from "./failure-checks.ts";
import { forkChecks } from "./fork-checks.ts";
import { givenUpBatchChecks } from "./given-up-batch-checks.ts";
import { givingBackChecks } from "./giving-back-checks.ts";
import { interceptorChecks } from "./interceptor-checks.ts";
import { lifeChecks } from "./life-checks.ts";
import { limitChecks } from "./limit-checks.ts";
import { noPayloadChecks } from "./no-payload-checks.ts";
import { orderChecks } from "./order-checks.ts";
import { ownershipChecks } from "./ownership-checks.ts";
import { personalChecks } from "./personal-checks.ts";
import { personalReachChecks } from "./personal-reach-checks.ts";
import { pipelineChecks } from "./pipeline-checks.ts";
import { pipelineSizeChecks } from "./pipeline-size-checks.ts";
import { pipelineDemandChecks } from "./pipeline-demand-checks.ts";
import { poolChecks } from "./pool-checks.ts";
import { processDeathChecks } from "./process-death-checks.ts";
import { redeliveryChecks } from "./redelivery-checks.ts";
import { refusedStepChecks } from "./refused-step-checks.ts";
import { silenceChecks } from "./silence-checks.ts";
import { stateChecks } from "./state-checks.ts";
import { stopChecks } from "./stop-checks.ts";
import { timerChecks } from "./timer-checks.ts";
import { storableChecks } from "./storable-checks.ts";
import { valueChecks } from "./value-checks.ts";
import { versionChecks } from "./version-checks.ts";
import { windowChecks } from "./window-checks.ts";

export const engineChecks: readonly LogCheck[] = [
  ...orderChecks,
  ...batchChecks,
  ...failingBatchChecks,
  ...givenUpBatchChecks,
  ...backlogChecks,
  ...pipelineChecks,
  ...pipelineSizeChecks,
  ...pipelineDemandChecks,
  ...commitChecks,
  ...redeliveryChecks,
  ...refusedStepChecks,
  ...askChecks,
  ...answerLaterChecks,
  ...clockChecks,
  ...deadlineChecks,
  ...badInputChecks,
  ...failureChecks,
  ...forkChecks,
  ...afterFailureChecks,
  ...limitChecks,
  ...valueChecks,
  ...noPayloadChecks,
  ...storableChecks,
  ...personalChecks,
  ...personalReachChecks,
  ...erasureChecks,
  ...erasureEndedChecks,
  ...erasureDeferredChecks,
  ...erasureResumedChecks,
  ...versionChecks,
  ...ownershipChecks,
  ...poolChecks,
  ...silenceChecks,
  ...stateChecks,
  ...stopChecks,
  ...givingBackChecks,
  ...processDeathChecks,
  ...timerChecks,
  ...lifeChecks,
  ...windowChecks,
  ...callCycleChecks,
  ...interceptorChecks,
];
