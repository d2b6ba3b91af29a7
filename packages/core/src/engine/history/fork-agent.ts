/**
 * Forking an agent: a new journal that begins with the state that another one had after some turn.
 *
 * The new journal begins with a base record that says where it comes from. Nothing of the original
 * runs again: messages of its turns were sent, its timers stay its own, and messages to the fork
 * are handled by the fork alone.
 */
import type { Agent } from "../../definition/agent.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import { RevisionConflictError } from "../../errors/log-errors.ts";
import { ForeignSubjectsError, ForkRefusedError } from "../../errors/state-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { CallOptions, Log } from "../../log/log.ts";
import { declaresPersonal } from "../personal/sealing.ts";
import { replay } from "./replay.ts";
import type { OptionRules } from "../../definition/option-rules.ts";
import { requireOptions } from "../../definition/option-rules.ts";
import { decodeJournalRecord } from "../../journal/journal-record.ts";
import { stored } from "../../wire/storable.ts";
import { agentRuntime } from "../runtime/agent-runtime.ts";
import type { BaseRecord, ForkedFrom } from "../../journal/base-record.ts";
import { encodeBaseRecord } from "../../journal/base-record.ts";

export interface ForkOptions extends CallOptions {
  /** Key of the fork: of an agent that has no turn yet. */
  readonly to: string;
  /** The last turn that the fork shares with the original, from 1. @default the last one */
  readonly turn?: number;
}

/** A fork of an agent. */
export interface Fork {
  readonly agent: AgentId;
  /** Turns that it has of the original; its own first one has the number after that. */
  readonly turn: number;
  /** Position of its first record. */
  readonly revision: Position;
  readonly from: ForkedFrom;
}

export interface ForkHost {
  readonly log: Log;
  /** The log, and the entries that its archive has. */
  readonly history: Log;
  /** Name of the operator who forks. */
  readonly name: string;
}

const rules: OptionRules<ForkOptions> = { to: "other", turn: "other", signal: "other" };

/** @throws ForkRefusedError, ForeignSubjectsError, and what `replay` throws */
export async function forkAgent<State, Events, Messages>(
  { history, log, name }: ForkHost,
  definition: Agent<State, Events, Messages>,
  key: string,
  options: ForkOptions,
): Promise<Fork> {
  requireOptions("Option ", options, rules);
  const { to, turn } = options;
  if (turn !== undefined && !(Number.isInteger(turn) && turn >= 1)) {
    throw new DefinitionError(`Option turn is ${String(turn)}; turns are counted from 1.`);
  }
  const { stateVersion, type } = definition;
  requireNothingPersonal(definition);
  const agent = { type, key: to };
  const source = { type, key };
  const at = await turnOf({ history, log, name }, definition, { source, turn, options });
  const from = { log: log.id, agent: source, turn: at.turn, revision: at.revision };
  const { foldVersion } = agentRuntime(definition);
  const state = stored(at.state, `The state of ${agentName(source)}`);
  const place = { log: log.id, turns: at.turn, lastInput: 0, previous: 0, openAsks: [] };
  const made = { state, stateVersion, foldVersion, coveredAtMs: log.nowMs() };
  const base: BaseRecord = { ...place, ...made, from, worker: name, version: "" };
  const record = encodeBaseRecord(base, agentName(agent), log.limits.payloadBytesMax);
  try {
    const [revision = 0] = await log.commit([{ agent, expectedRevision: 0, record, outgoing: [] }]);
    return { agent, turn: at.turn, revision, from };
  } catch (thrown) {
    if (!(thrown instanceof RevisionConflictError)) throw thrown;
    // It may be there from a try whose answer was lost.
    return existing(log, agent, from);
  }
}

interface ForkPoint {
  readonly turn: number;
  readonly revision: Position;
  readonly state: unknown;
}

async function turnOf<State, Events, Messages>(
  { history }: ForkHost,
  definition: Agent<State, Events, Messages>,
  wanted: {
    readonly source: AgentId;
    readonly turn: number | undefined;
    readonly options: CallOptions;
  },
): Promise<ForkPoint> {
  const { options, source, turn } = wanted;
  let last: ForkPoint | undefined;
  const onBeginning = (beginning: { turn: number; revision: Position; state: State }): void => {
    last = { ...beginning, turn: beginning.turn - 1 };
  };
  const { signal } = options;
  for await (const each of replay(history, definition, source.key, { onBeginning, signal })) {
    if (turn !== undefined && each.record.turn > turn) break;
    last = { turn: each.record.turn, revision: each.revision, state: each.state };
  }
  if (last !== undefined && last.turn >= 1 && (turn ?? last.turn) === last.turn) return last;
  const which = turn === undefined ? "a turn" : `turn ${turn}`;
  throw new ForkRefusedError(
    `${agentName(source)} cannot be forked: its journal does not have ${which} (any more).`,
    { details: { agent: agentName(source), turn } },
  );
}

async function existing(log: Log, agent: AgentId, from: ForkedFrom): Promise<Fork> {
  const [first] = await log.journal(agent, 0, { firm: true });
  const record = first && decodeJournalRecord(first.record);
  const found = record?.kind === "base" ? record.base.from : undefined;
  if (first !== undefined && found?.log === from.log && found.revision === from.revision) {
    return { agent, turn: from.turn, revision: first.revision, from };
  }
  const name = agentName(agent);
  throw new ForkRefusedError(
    `${agentName(from.agent)} cannot be forked to ${name}, which has a journal already: nothing was stored. Name a key that has none.`,
    { details: { agent: agentName(from.agent), to: name } },
  );
}

/** Refuses to fork a state with personal data, which would belong to nobody in the fork. */
function requireNothingPersonal(definition: Parameters<typeof declaresPersonal>[0]): void {
  if (!declaresPersonal(definition)) return;
  throw new ForeignSubjectsError(
    `Agents of the type ${definition.type} cannot be forked: they declare personal data, and an erasure of the original would not reach the fork.`,
    { details: { type: definition.type } },
  );
}
