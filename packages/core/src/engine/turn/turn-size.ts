/**
 * Bounds of a turn (I7). Checked while the handler runs, so that a loop without end is stopped by
 * name and not by the memory, and once more for the finished record.
 */
import { EventTooLargeError, TurnTooLargeError } from "../../errors/message-errors.ts";
import { agentName } from "../../definition/message/address.ts";
import type { OpenTurn } from "./open-turn.ts";

type SizedTurn = Pick<
  OpenTurn,
  "agent" | "bytes" | "delivery" | "events" | "host" | "outgoing" | "timers"
>;

/**
 * @param bytes of the event's data
 * @param others bytes of the data of all events that the turn emitted before
 * @throws EventTooLargeError, TurnTooLargeError
 */
export function requireEventFits(
  turn: SizedTurn,
  event: string,
  { bytes, others }: { readonly bytes: number; readonly others: number },
): void {
  const { eventBytesMax } = turn.host.limits;
  const { payloadBytesMax } = turn.host.log.limits;
  if (bytes > eventBytesMax) {
    throw new EventTooLargeError(
      `${nameOf(turn)} emits the event ${event} with ${bytes} bytes, the limit is ${eventBytesMax}: emit a reference to the content, or raise eventBytesMax.`,
      { details: { ...idsOf(turn), event, bytes, eventBytesMax } },
    );
  }
  if (others + bytes > payloadBytesMax) {
    const events = turn.events.length + 1;
    throw new TurnTooLargeError(
      `${nameOf(turn)} emits ${events} events of ${others + bytes} bytes, the limit for a record is ${payloadBytesMax}: emit less per turn.`,
      { details: { ...idsOf(turn), events, bytes: others + bytes, payloadBytesMax } },
    );
  }
}

/** Number of messages that its commit stores. */
export function messagesOf(
  turn: Pick<OpenTurn, "deadLetter" | "ends" | "outgoing" | "timers">,
): number {
  const { deadLetter, ends, outgoing, timers } = turn;
  const own = ends === undefined ? 1 : 2;
  return own + outgoing.length + timers.length + (deadLetter === undefined ? 0 : 1);
}

/** There is room for one more message or timer. @throws TurnTooLargeError */
export function requireRoomToSend(turn: SizedTurn): void {
  const sent = turn.outgoing.length + turn.timers.length + 1;
  const { commitMessagesMax } = turn.host.log.limits;
  if (sent < commitMessagesMax) return;
  throw new TurnTooLargeError(
    `${nameOf(turn)} sends ${sent} messages and timers, the limit is ${commitMessagesMax - 1}: send fewer per turn.`,
    { details: { ...idsOf(turn), outgoing: sent, commitMessagesMax } },
  );
}

/** The finished record fits into one message of the log. */
export function recordFits({ bytes, host }: Pick<SizedTurn, "bytes" | "host">): boolean {
  return bytes.byteLength <= host.log.limits.payloadBytesMax;
}

/** @throws TurnTooLargeError */
export function requireRecordFits(turn: SizedTurn): void {
  if (recordFits(turn)) return;
  const { payloadBytesMax } = turn.host.log.limits;
  const bytes = turn.bytes.byteLength;
  throw new TurnTooLargeError(
    `${nameOf(turn)} makes a record of ${bytes} bytes, the limit is ${payloadBytesMax}: emit less per turn.`,
    { details: { ...idsOf(turn), bytes, payloadBytesMax } },
  );
}

function nameOf({ agent, delivery }: SizedTurn): string {
  return `The turn of ${agentName(agent)} on the message at ${delivery.input.position}`;
}

function idsOf({ agent, delivery }: SizedTurn): Readonly<Record<string, unknown>> {
  return { agent: agentName(agent), position: delivery.input.position };
}
