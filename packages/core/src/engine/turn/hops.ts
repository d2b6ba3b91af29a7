/**
 * Distance of a message from the one that began it all: a topic whose subscriber publishes on it,
 * or agents that answer each other's messages with messages, never come to an end by themselves.
 */
import { HopLimitError } from "../../errors/message-errors.ts";
import { agentName } from "../../definition/message/address.ts";
import type { OpenTurn } from "./open-turn.ts";

/** Number of hops for the messages that the turn sends now. @throws HopLimitError */
export function nextHop({ agent, delivery, host, message }: OpenTurn): number {
  const hops = (delivery.input.metadata.hops ?? 0) + 1;
  const { hopsMax } = host.limits;
  if (hops <= hopsMax) return hops;
  const name = agentName(agent);
  throw new HopLimitError(
    `${name} sends a message out of ${message}, which is the ${hopsMax}th in a row of messages that were sent one out of the other: does a topic or an agent feed itself? End the loop, let it wait with ctx.after, or raise hopsMax.`,
    { details: { agent: name, message, position: delivery.input.position, hops, hopsMax } },
  );
}
