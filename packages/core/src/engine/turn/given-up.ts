/**
 * Whether somebody still waits for a turn: its asker's deadline and its asker's word. A turn that
 * nobody waits for keeps nothing but that (I3).
 */
import { AskCancelledError } from "../../errors/ask-errors.ts";
import { DeadlinePassedError } from "../../errors/message-errors.ts";
import { AgentEndedError } from "../../errors/state-errors.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { OpenTurn } from "./open-turn.ts";

/** Time from which nobody waits for the reply any more, by the log's clock. */
export function deadlineMsOf({ input, waits }: Delivery): number | undefined {
  return waits === true ? undefined : input.metadata.deadlineMs;
}

/** Milliseconds until then; Infinity without a deadline. */
export function leftMsOf({ delivery, host: { log } }: Pick<OpenTurn, "delivery" | "host">): number {
  const deadlineMs = deadlineMsOf(delivery);
  return deadlineMs === undefined ? Infinity : deadlineMs - log.nowMs();
}

/**
 * Reason why the turn must not go on although nothing failed; undefined as long as somebody waits.
 */
export function givenUp(turn: OpenTurn): TroupeError | undefined {
  if (isCancelled(turn)) return cancelled(turn);
  if (turn.refuses) return refused(turn);
  return leftMsOf(turn) > 0 ? undefined : deadlinePassed(turn);
}

/** Whether all that it is for gave up; called for every turn. */
function isCancelled({ delivery, host: { cancellations } }: OpenTurn): boolean {
  const { askers, replyTo } = delivery.input.metadata;
  if (replyTo !== undefined) return cancellations.has(replyTo);
  if (askers === undefined || askers.length === 0) return false;
  return askers.every((each) => cancellations.has(each));
}

/** Error of a message whose agent has ended, and said that nothing comes after that. */
function refused({ agent, delivery, message }: OpenTurn): AgentEndedError {
  const name = agentName(agent);
  const { position } = delivery.input;
  return new AgentEndedError(
    `${name} has ended and handles nothing more: the message ${message} at ${position} became a dead letter. Send it to another agent; ctx.end() without \`later: "refuse"\` would begin again.`,
    { details: { agent: name, message, position } },
  );
}

/** Error of an ask that its asker gave up. */
function cancelled(turn: OpenTurn): AskCancelledError {
  const { position } = turn.delivery.input;
  return new AskCancelledError(
    `The asker of ${agentName(turn.agent)} gave up (message at ${position}): the turn keeps nothing.`,
    { details: detailsOf(turn) },
  );
}

export function deadlinePassed(turn: OpenTurn): DeadlinePassedError {
  const { position } = turn.delivery.input;
  return new DeadlinePassedError(
    `The deadline of the ask at ${position} passed before ${agentName(turn.agent)} was done: the turn keeps nothing. Ask with a larger timeoutMs, or use send.`,
    { details: detailsOf(turn) },
  );
}

function detailsOf({ agent, delivery, message }: OpenTurn): Readonly<Record<string, unknown>> {
  const { position } = delivery.input;
  return { agent: agentName(agent), message, position, kept: false };
}
