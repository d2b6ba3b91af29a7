/** Troupe without a server: the log in memory, with its faults. */
export {
  given,
  type EventOf,
  type Expectation,
  type Given,
  type GivenOptions,
  type Outcome,
  type Published,
  type SentMessage,
  type TimerSet,
  type When,
} from "./given.ts";
export {
  givenJob,
  type GivenJob,
  type GivenJobOptions,
  type JobExpectation,
  type JobOutcome,
  type WhenJob,
} from "./given-job.ts";
export { givenProjection, type GivenProjection } from "./given-projection.ts";
export { memoryArchiveStore, type MemoryArchiveStore } from "./memory-archive-store.ts";
export {
  createMemoryBroker,
  type MemoryBroker,
  type MemoryConnection,
  type PauseOptions,
} from "./memory/memory-broker.ts";
export type { MemoryBrokerOptions } from "./memory/broker-options.ts";
export type { DuplicateWindowLimits } from "./memory/duplicate-window.ts";
export type { Schedule } from "./memory/schedule.ts";
export type { CommitFault, PausedCalls } from "./memory/server.ts";
export * from "./simulation/index.ts";
