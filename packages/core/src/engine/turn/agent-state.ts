/** State of an agent between two turns: the next one starts from it, whoever runs that. */
import type { AgentDefinition } from "../../definition/agent-definition.ts";
import type { Position } from "../../definition/message/input.ts";
import type { StateReferences } from "../personal/state-references.ts";
import type { BaseRecord } from "../../journal/base-record.ts";
import type { AfterEnd } from "../../definition/context.ts";
import type { Answering } from "../../journal/answering.ts";
import type { OpenTurn } from "./open-turn.ts";

/** State of an agent after some turn. */
export interface AgentState {
  readonly state: unknown;
  /** Turns so far. */
  readonly turns: number;
  /**
   * Position of the last handled input; everything up to it is a duplicate (I4). Whichever log its
   * record names: a worker that has not noticed yet that the log was made anew names the old one.
   */
  readonly lastInput: Position;
  /** Keys of the personal data that went into the state; undefined when there is none. */
  readonly references?: StateReferences | undefined;
  /** Inputs whose asks were left open and are not answered yet (ANSWER-1), in order. */
  readonly openAsks: readonly Position[];
  /** Set once the agent ended, until it begins again. */
  readonly ended: AfterEnd | undefined;
}

/** State of an agent that has no history. */
export function stateAtFirst({ initialState }: AgentDefinition): AgentState {
  const nothing = { references: undefined, openAsks: none, ended: undefined };
  return { state: initialState, turns: 0, lastInput: 0, ...nothing };
}

/** @param before what the turn started from, or what the turns before it in its batch left */
export function stateAfter(turn: OpenTurn, before: AgentState): AgentState {
  const { answering, delivery, ends, number, references, runtime, state } = turn;
  const lastInput = delivery.input.position;
  return {
    state: ends === undefined ? state : runtime.definition.initialState,
    turns: number,
    lastInput,
    references: ends === undefined ? references : undefined,
    openAsks: openAsksAfter(before.openAsks, answering, lastInput),
    ended: ends ?? endedBefore(before),
  };
}

/** A message that is refused does not make the agent begin again. */
export function endedBefore({ ended }: AgentState): AfterEnd | undefined {
  return ended === "refuse" ? ended : undefined;
}

/** An answer is for all that are open, its own included (ANSWER-2). */
export function openAsksAfter(
  before: readonly Position[],
  answering: Answering | undefined,
  input: Position,
): readonly Position[] {
  if (answering === undefined) return before;
  if (answering.now !== undefined) return none;
  return answering.later ? [...before, input] : before;
}

/** The base record with which an agent ends: it has no state any more. */
export function endOf(turn: OpenTurn, after: AgentState): BaseRecord {
  const { host, runtime } = turn;
  const { turns, lastInput, openAsks, ended } = after;
  return {
    log: host.identity.id,
    turns,
    lastInput,
    openAsks,
    ended,
    state: undefined,
    stateVersion: runtime.definition.stateVersion,
    foldVersion: runtime.foldVersion,
    // Its turn lies right before it, at a position that nobody knows yet.
    previous: lastInput,
    coveredAtMs: host.log.nowMs(),
    worker: host.worker,
    version: host.version,
  };
}

const none: readonly never[] = Object.freeze([]);
