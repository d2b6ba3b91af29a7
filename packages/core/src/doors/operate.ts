/**
 * @troupe/core/operate: for whoever operates a system or looks into it. What became of messages,
 * what journals say, and what is done about it.
 */

// Dead letters and parked agents.
export {
  deadLetters,
  parkedCode,
  type LetterFilter,
  type PlacedLetter,
} from "../client/operate/dead-letters.ts";
export {
  parkedAgent,
  waitingBehind,
  waitingMax,
  type ParkedAgent,
} from "../client/operate/parked-agent.ts";
export { parkedAgents, type WaitingAgent } from "../client/operate/parked-agents.ts";
export {
  resumptionOutcome,
  type Resumption,
  type ResumptionOutcome,
} from "../client/operate/resumption.ts";
export type { Fault, InspectionFeed } from "../engine/inspection/inspection-feed.ts";
export { type ResumeOptions, isResume, resumeDraft } from "../engine/mailbox/parking.ts";
export { redriveDraft } from "../log/redrive-draft.ts";
export { redrive } from "../log/redrive.ts";

// Erasing, forking, replaying.
export type { EraseOptions, ErasedPart, Erasure, ErasureHost } from "../engine/erasure/erasure.ts";
export type { Fork, ForkOptions } from "../engine/history/fork-agent.ts";
export type { RecordedState } from "../engine/history/recorded-state.ts";
export {
  type JournalBeginning,
  type JournaledErasure,
  type JournaledTurn,
  type ReplayOptions,
  type ReplayedTurn,
  type TurnsOptions,
  replay,
  turnsOf,
} from "../engine/history/replay.ts";
export type { ForkedFrom } from "../journal/base-record.ts";
export type { Archive } from "../log/archive/archive-port.ts";

// Contents of a journal's records.
export type { RecordedEvent } from "../definition/recorded-event.ts";
export type { StoredEvent } from "../definition/stored-event.ts";
export type { Answering, LateAnswer } from "../journal/answering.ts";
export type { BaseRecord } from "../journal/base-record.ts";
export type { EarlierRun } from "../journal/earlier-run.ts";
export type { InterceptorChanges } from "../journal/interceptor-changes.ts";
export {
  type JournalRecord,
  decodeJournalRecord,
  decodeRecord,
} from "../journal/journal-record.ts";
export type { ParkRecord } from "../journal/park-record.ts";
export type { RecordedStep, StepIdentity } from "../journal/recorded-step.ts";
export type { RecordedTimer, SentMessage } from "../journal/sent-message.ts";
export type { StepRecord } from "../journal/step-record.ts";
export type { TombstoneRecord } from "../journal/tombstone-record.ts";
export type { RecordedBatch, TurnRecord } from "../journal/turn-record.ts";
export { type KeyReference, Sealed } from "../wire/sealed.ts";

// Traces.
export { spanIdBelow, spanIdOf, traceIdOf } from "../definition/message/span-ids.ts";
export {
  type TracedInput,
  type TurnSpan,
  continuedTraceId,
  turnSpan,
} from "../definition/message/turn-span.ts";

// For people to read.
export { printable, printableLines } from "../engine/inspection/printable.ts";
export type { Holding } from "../engine/ownership/ownership.ts";
