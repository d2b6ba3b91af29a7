/** Deterministic simulation: a system's agents under faults, one seed after the other. */
export { Agenda } from "./agenda.ts";
export { chanceOf, type Chance } from "./chance.ts";
export { drained } from "./drained.ts";
export type { CommitMishap, Fault, FaultKind } from "./fault.ts";
export type { FaultOptions, FaultWeights } from "./fault-plan.ts";
export type { Finding } from "./finding.ts";
export type { History, JournaledPark } from "./history.ts";
export { overlay, type LogMethods } from "./overlay.ts";
export {
  simulateSeeds,
  SimulationFailedError,
  type SeedsSummary,
  type SimulateSeedsOptions,
} from "./simulate-seeds.ts";
export {
  simulate,
  type SimulateOptions,
  type SimulationEvent,
  type SimulationRun,
} from "./simulate.ts";
export type { Stage, System } from "./system.ts";
