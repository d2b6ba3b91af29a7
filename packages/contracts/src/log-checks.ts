/** All rules of the log port, as checks. */
import { acceptChecks } from "./accept-checks.ts";
import { cellChecks } from "./cell-checks.ts";
import { commitChecks } from "./commit-checks.ts";
import { deadLetterChecks } from "./dead-letter-checks.ts";
import { deadLetterRemovalChecks } from "./dead-letter-removal-checks.ts";
import { firmChecks } from "./firm-checks.ts";
import { followChecks } from "./follow-checks.ts";
import { holdingsChecks } from "./holdings-checks.ts";
import { inputsOfChecks } from "./inputs-of-checks.ts";
import { journalChecks } from "./journal-checks.ts";
import { keyChecks } from "./key-checks.ts";
import { keyStoreChecks } from "./key-store-checks.ts";
import { lifecycleChecks } from "./lifecycle-checks.ts";
import type { LogCheck } from "./log-harness.ts";
import { unroutableChecks } from "./unroutable-checks.ts";
import { outageChecks } from "./outage-checks.ts";
import { positionChecks } from "./position-checks.ts";
import { narrowReaderChecks } from "./narrow-reader-checks.ts";
import { readerChecks } from "./reader-checks.ts";
import { removalChecks } from "./removal-checks.ts";
import { shardChecks } from "./shard-checks.ts";
import { sizeChecks } from "./size-checks.ts";
import { timerChecks } from "./timer-checks.ts";
import { workerChecks } from "./worker-checks.ts";

export const logChecks: readonly LogCheck[] = [
  ...acceptChecks,
  ...readerChecks,
  ...narrowReaderChecks,
  ...commitChecks,
  ...journalChecks,
  ...inputsOfChecks,
  ...firmChecks,
  ...keyChecks,
  ...deadLetterChecks,
  ...deadLetterRemovalChecks,
  ...removalChecks,
  ...followChecks,
  ...unroutableChecks,
  ...sizeChecks,
  ...timerChecks,
  ...positionChecks,
  ...shardChecks,
  ...workerChecks,
  ...cellChecks,
  ...keyStoreChecks,
  ...holdingsChecks,
  ...lifecycleChecks,
  ...outageChecks,
];
