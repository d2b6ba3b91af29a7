/** The invariants that the raw log shows, whoever wrote it and whatever went wrong meanwhile. */
import assert from "node:assert/strict";

import type { AgentDefinition } from "@troupe/core/engine";
import type { Agent } from "@troupe/core";
import type { AgentId, Input, Position } from "@troupe/core/log";
import { agentName } from "@troupe/core/log";
import type { TurnRecord } from "@troupe/core/operate";
import type { Finding } from "./finding.ts";
import { identityKey, stepLabel } from "@troupe/core/engine";
import type { GrowingHistory } from "./history.ts";

export function logFindings(
  history: GrowingHistory,
  definitions: readonly AgentDefinition[],
): Finding[] {
  const findings: Finding[] = [];
  const find = (rule: string, what: string): void => void findings.push({ rule, what });
  for (const agent of history.agents) {
    journalInOrder(history, agent, find);
    erasedIsDone(history, agent, find);
    stepsOnce(history, agent, find);
    foldIsPure(history, agent, definitions, find);
  }
  outgoingIsRecorded(history, find);
  asksOnce(history, find);
  failuresAreDeadLetters(history, find);
  return findings;
}

type Find = (rule: string, what: string) => void;

/** I2, I4: turns in log order, none twice, each of a message to this agent. */
function journalInOrder(history: GrowingHistory, agent: AgentId, find: Find): void {
  const name = agentName(agent);
  const seen = new Set<Position>();
  let last = 0;
  for (const [index, { record, revision }] of history.turns(agent, agent.key).entries()) {
    const { inputPosition, turn } = record;
    const what = `turn ${turn} of ${name}, record ${revision}, on the message at ${inputPosition}`;
    if (turn !== index + 1) find("I2", `${what}: it should be turn ${index + 1}`);
    // Stored by a worker that did not know yet that the log had lost the message.
    if (history.lostTail && inputPosition >= revision) continue;
    if (seen.has(inputPosition)) find("I4", `${what}: that message had its turn before`);
    else if (inputPosition <= last) find("I2", `${what}: after the turn on ${last}`);
    if (!isAddressed(history, inputPosition, name)) find("I4", `${what}: not a message to it`);
    seen.add(inputPosition);
    last = Math.max(last, inputPosition);
  }
}

/** I4: no message of before an erasure has a turn after it. */
function erasedIsDone(history: GrowingHistory, agent: AgentId, find: Find): void {
  const tombstones = history.tombstones(agent, agent.key);
  for (const { record, revision } of history.turns(agent, agent.key)) {
    const last = tombstones.findLast((each) => each.revision < revision);
    if (last === undefined || record.inputPosition > last.record.inputPosition) continue;
    const what = `turn ${record.turn} of ${agentName(agent)} on ${record.inputPosition}`;
    find("I4", `${what}: the tombstone at ${last.revision} says that it is done`);
  }
}

/** I6: a step has one record, for a second one means that it ran although it was recorded. */
function stepsOnce(history: GrowingHistory, agent: AgentId, find: Find): void {
  for (const { record, steps } of history.turns(agent, agent.key)) {
    const keys = new Set(steps.map(identityKey));
    if (keys.size === steps.length) continue;
    const twice = steps.find((step) => !keys.delete(identityKey(step)));
    const label = twice && stepLabel(twice);
    find("I6", `turn ${record.turn} of ${agentName(agent)} recorded its step ${label} twice`);
  }
}

function isAddressed(history: GrowingHistory, position: Position, name: string): boolean {
  const input = history.inputs.get(position);
  return (
    input !== undefined && history.addressees(input).some((agent) => agentName(agent) === name)
  );
}

/** I8: every fold comes to the same state, also from events that went over the wire once more. */
function foldIsPure(
  history: GrowingHistory,
  agent: AgentId,
  definitions: readonly AgentDefinition[],
  find: Find,
): void {
  const definition = definitions.find(({ type }) => type === agent.type);
  if (definition === undefined) return;
  const name = agentName(agent);
  const run = (): unknown =>
    history.state(definition as Agent<unknown, unknown, unknown>, agent.key);
  try {
    assert.deepStrictEqual(run(), run());
  } catch (thrown) {
    find("I8", `two folds of ${name} differ: ${thrown instanceof Error ? thrown.message : ""}`);
  }
  basesAreFolds(history, agent, definition, find);
}

/** I8: a base record is the fold of what came before it, because that may be gone (BASE-4). */
function basesAreFolds(
  history: GrowingHistory,
  agent: AgentId,
  definition: AgentDefinition,
  find: Find,
): void {
  const bases = history.bases(agent, agent.key);
  if (bases.length === 0) return;
  const states = new Map(history.states(definition, agent.key));
  const turns = history.turns(agent, agent.key);
  for (const { record, revision } of bases) {
    const what = `the base record of ${agentName(agent)} at ${revision}, after turn ${record.turns}`;
    const before = turns.findLast((turn) => turn.revision < revision)?.record;
    if (before?.turn !== record.turns) find("I8", `${what}: turn ${before?.turn} came before it`);
    if (before?.inputPosition !== record.lastInput) find("I4", `${what}: another last input`);
    if (record.ended !== undefined) continue;
    try {
      assert.deepStrictEqual(record.state, states.get(record.turns));
    } catch {
      find("I8", `${what}: its state is not the fold`);
    }
  }
}

/**
 * I3: the messages that a record says it sent are on the log once, and no others of that agent are.
 */
function outgoingIsRecorded(history: GrowingHistory, find: Find): void {
  const promised = new Map<string, string>();
  for (const agent of history.agents) {
    for (const { record } of history.turns(agent, agent.key)) {
      for (const { id } of record.sent) promised.set(id, agentName(agent));
    }
  }
  for (const input of history.inputs.values()) {
    if (!isSentByTurn(input)) continue;
    const { id = "", sender } = input.metadata;
    if (promised.get(id) === sender) promised.delete(id);
    else find("I3", `the message ${id} at ${input.position} of ${sender} is in no record`);
  }
  for (const [id, name] of promised) find("I3", `the message ${id} that ${name} sent is not there`);
}

/**
 * An agent's ask leaves at once, a timer's message later; everything else that it sends leaves with
 * its commit.
 */
function isSentByTurn({ metadata }: Input): boolean {
  const { replyTo, sender, timer } = metadata;
  return sender?.includes("/") === true && replyTo === undefined && timer === undefined;
}

/** I13: one ask of a turn is one message, however often the turn runs and however long it takes. */
function asksOnce(history: GrowingHistory, find: Find): void {
  const seen = new Map<string, Position>();
  for (const { metadata, position } of history.inputs.values()) {
    const { id, replyTo, sender } = metadata;
    if (id === undefined || replyTo === undefined || sender?.includes("/") !== true) continue;
    const name = `${sender} ${id}`;
    const first = seen.get(name);
    if (first !== undefined)
      find("I13", `the ask ${id} of ${sender} is at ${first} and ${position}`);
    seen.set(name, position);
  }
}

/**
 * I10: a turn that failed has one dead letter, and so has a parking; there are no others, except
 * for inputs of no agent. A rejected ask has none: the rejection is its answer.
 */
function failuresAreDeadLetters(history: GrowingHistory, find: Find): void {
  const { either, failed } = failuresIn(history);
  const parked = history.agents.flatMap((agent) =>
    history
      .parkings(agent, agent.key)
      .filter(({ record }) => record.parked)
      .map(({ record }) => turnName(agent, record)),
  );
  const buried = new Set<Position>();
  for (const { agent, failure, inputPosition } of history.deadLetters) {
    const where = `the dead letter for the message at ${inputPosition}`;
    if (agent !== undefined && failure.code === agentParked) {
      const index = parked.indexOf(turnName(agent, { inputPosition }));
      if (index < 0) find("I10", `${where} has no parking`);
      else parked.splice(index, 1);
    } else if (agent !== undefined) {
      const name = turnName(agent, { inputPosition });
      if (!failed.delete(name) && !either.delete(name)) find("I10", `${where} has no failure`);
    } else if (buried.has(inputPosition)) find("I10", `${where} is there twice`);
    buried.add(inputPosition);
  }
  for (const name of failed) find("I10", `the failure of ${name} has no dead letter`);
  for (const name of parked) find("I10", `the parking of ${name} has no dead letter`);
}

/**
 * Turns that failed and need a dead letter, and those that may have one: whoever asked a parked
 * agent was told that, and does not hear a later rejection.
 */
function failuresIn(history: GrowingHistory): Readonly<Record<"either" | "failed", Set<string>>> {
  const found = { either: new Set<string>(), failed: new Set<string>() };
  for (const agent of history.agents) {
    const isParkable = history.parkings(agent, agent.key).length > 0;
    for (const { record } of history.turns(agent, agent.key)) {
      const name = turnName(agent, record);
      if (record.failure === undefined) continue;
      if (!isRejectedAsk(history, record)) found.failed.add(name);
      else if (isParkable) found.either.add(name);
    }
  }
  return found;
}

/** Whether the turn failed by the answer to an ask. */
function isRejectedAsk({ inputs }: GrowingHistory, record: TurnRecord): boolean {
  const { failure, inputPosition } = record;
  return failure?.code === "rejected" && inputs.get(inputPosition)?.metadata.replyTo !== undefined;
}

const agentParked = "agent-parked";

function turnName(agent: AgentId, { inputPosition }: Pick<TurnRecord, "inputPosition">): string {
  return `${agentName(agent)}@${inputPosition}`;
}
