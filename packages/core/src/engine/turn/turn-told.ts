/** Events of the feed about a turn: that it starts, and how it may end without its handler. */
import { TurnEndedError, TurnTimeoutError } from "../../errors/message-errors.ts";
import { agentName } from "../../definition/message/address.ts";
import type { OpenTurn } from "./open-turn.ts";

export function tellStarted({ agent, delivery, host, message, traceparent }: OpenTurn): void {
  if (!host.feed.active) return;
  host.feed.emit({
    kind: "turn.started",
    agent,
    inputPosition: delivery.input.position,
    message,
    attempt: delivery.attempts,
    traceparent,
  });
}

export function turnEnded({ agent, delivery }: OpenTurn): TurnEndedError {
  const { position } = delivery.input;
  return new TurnEndedError(
    `The turn of ${agentName(agent)} on the message at ${position} is over: await everything before the handler returns.`,
    { details: { agent: agentName(agent), position } },
  );
}

export function turnTimeout(
  { agent, delivery, message }: OpenTurn,
  timeoutMs: number,
): TurnTimeoutError {
  const name = agentName(agent);
  const { position } = delivery.input;
  return new TurnTimeoutError(
    `The handler of ${name} for ${message} did not return within ${timeoutMs} ms (message at ${position}): watch ctx.signal, or raise retry.timeoutMs.`,
    { details: { agent: name, message, position, timeoutMs } },
  );
}
