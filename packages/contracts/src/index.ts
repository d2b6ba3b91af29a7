/** The contract suite of the log port. Needs vitest and fast-check. */
export { logContract } from "./log-contract.ts";
export { logChecks } from "./log-checks.ts";
export type { HarnessFeature, LogCheck, LogHarness } from "./log-harness.ts";
export { engineContract } from "./engine/engine-contract.ts";
export { engineChecks } from "./engine/engine-checks.ts";
export { sinkChecks } from "./projection/sink-checks.ts";
export { sinkContract } from "./projection/sink-contract.ts";
export type { SinkCheck, SinkHarness, SinkRow } from "./projection/sink-harness.ts";
export { storeChecks } from "./archive/store-checks.ts";
export { storeContract } from "./archive/store-contract.ts";
export type { StoreCheck, StoreHarness } from "./archive/store-harness.ts";
