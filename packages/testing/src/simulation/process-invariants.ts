/**
 * The invariants that only show while processes run: their promises, their holdings, their answers.
 */
import type { Finding } from "./finding.ts";
import type { GrowingHistory } from "./history.ts";
import { lateReplyOf, decodeReply, encodeReply, replyOf } from "@troupe/core/engine";
import type { Reply } from "@troupe/core/engine";
import type { JournaledTurn } from "@troupe/core/operate";
import type { AgentId, Position } from "@troupe/core/log";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { Watch } from "./watched-log.ts";

export function watchFindings(history: GrowingHistory, watch: Watch): Finding[] {
  return [
    ...watch.breaches.map((what) => ({ rule: "I7", what })),
    ...acceptedIsThere(history, watch),
    ...(watch.losses > 0 ? [] : repliesAreRecorded(history, watch)),
  ];
}

/** I1: a message that the log said it stored is there, under that id. */
function acceptedIsThere(history: GrowingHistory, { accepted }: Watch): Finding[] {
  return accepted.flatMap(({ answer, draft }) => {
    const { id } = draft.metadata;
    const stored = history.inputs.get(answer.position);
    // A message without an id gets one from the log.
    if (stored !== undefined && stored.metadata.id === (id ?? stored.metadata.id)) return [];
    return [{ rule: "I1", what: `the accepted message ${id} is not at ${answer.position}` }];
  });
}

/** I3, I4: a reply is the one that its record has, however often and by whomever it is sent. */
function repliesAreRecorded(history: GrowingHistory, { replies }: Watch): Finding[] {
  if (replies.length === 0) return [];
  const asks = new Map<string, Position>();
  for (const { metadata, position } of history.inputs.values()) {
    if (metadata.replyTo !== undefined) asks.set(metadata.replyTo, position);
  }
  return replies.flatMap(({ payload, process, replyTo }) => {
    // It answers nothing: the asker goes on waiting.
    if (decodeReply(payload).note !== undefined) return [];
    const position = asks.get(replyTo);
    const input = position === undefined ? undefined : history.inputs.get(position);
    const [agent] = input === undefined ? [] : history.addressees(input);
    if (agent === undefined)
      return [{ rule: "I3", what: `${process} answers an ask that is not there` }];
    const turns = history.turns(agent, agent.key);
    const turn = turns.find(({ record }) => record.inputPosition === position);
    const isRecorded = repliesTo(turns, turn).some(
      (reply) => Buffer.compare(encodeReply(reply), payload) === 0,
    );
    if (isRecorded || isOfParked(history, agent, payload)) return [];
    if (isNotKept(history, agent, payload)) return [];
    if (isOfErased(history, agent, { payload, position })) return [];
    return [
      { rule: "I3", what: `${process} answers the ask at ${position} with what is not recorded` },
    ];
  });
}

/** Answers that the ask of a turn may get: its reply, or one that a later turn gives (ANSWER-2). */
function repliesTo(
  turns: readonly JournaledTurn[],
  asked: JournaledTurn | undefined,
): readonly Reply[] {
  if (asked === undefined) return [];
  if (asked.record.answering?.later !== true) return [replyOf(asked.record)];
  const late = turns
    .filter(({ revision }) => revision >= asked.revision)
    .map(({ record }) => lateReplyOf(record));
  return late.filter((reply) => reply !== undefined).slice(0, 1);
}

/** An asker whose reply was removed with its record is told so. */
function isNotKept(history: GrowingHistory, agent: AgentId, payload: Uint8Array): boolean {
  if (decodeReply(payload).failure?.code !== "reply-not-kept") return false;
  return history.bases(agent, agent.key).length > 0;
}

/**
 * An asker of a message before an erasure is told so, and that it was not handled only where it was
 * not.
 */
function isOfErased(
  history: GrowingHistory,
  agent: AgentId,
  { payload, position }: { readonly payload: Uint8Array; readonly position: Position | undefined },
): boolean {
  const { failure } = decodeReply(payload);
  if (failure?.code !== "agent-erased" || position === undefined) return false;
  const erased = history
    .tombstones(agent, agent.key)
    .some(({ record }) => record.inputPosition >= position);
  const handled = history
    .turns(agent, agent.key)
    .some(({ record }) => record.inputPosition === position);
  return erased && !(handled && failure.details?.["handled"] === false);
}

/** An asker of a parked agent is told so; its message keeps its place. */
function isOfParked(history: GrowingHistory, agent: AgentId, payload: Uint8Array): boolean {
  if (decodeReply(payload).failure?.code !== "agent-parked") return false;
  return history.parkings(agent, agent.key).some(({ record }) => record.parked);
}

/**
 * A worker that has nothing to do still announces itself, saves its floors, reads manifests, looks
 * for what its retention lets go, and listens for the others.
 */
function idleTimersMax(workers: number): number {
  return 3 + workers;
}

/**
 * I11: a process that only waits for a message holds nothing. Timers that agents ask for belong to
 * the log.
 */
export function idleFindings(
  processes: readonly SimulatedProcess[],
  client: SimulatedProcess,
): Finding[] {
  const workers = processes.filter((process) => process !== client).length;
  const most = (process: SimulatedProcess): number =>
    process === client ? 0 : idleTimersMax(workers);
  return processes
    .filter((process) => process.clock.pending > most(process))
    .map(({ clock, name }) => ({
      rule: "I11",
      what: `${name} has ${clock.pending} timers when nothing is left to do`,
    }));
}

/** I11: a stopped process left nothing behind. */
export function stoppedFindings(processes: readonly SimulatedProcess[]): Finding[] {
  return processes
    .filter(({ clock }) => clock.pending > 0)
    .map(({ clock, name }) => ({
      rule: "I11",
      what: `${name} has ${clock.pending} timers after it stopped`,
    }));
}
