/** Conditions under which messages of one agent may sit in one batch. */
import type { Turn } from "../turn/turn.ts";
import type { Delivery } from "../runtime/delivery.ts";
import { isWord } from "./parking.ts";

/** Whether the delivery may sit in the batch in which a turn of the same agent already sits. */
export function mayFollow(last: Turn, delivery: Delivery): boolean {
  const { address, metadata, position } = delivery.input;
  const topic = address.kind === "topic" ? address.name : metadata.topic;
  return (
    position > last.delivery.input.position &&
    delivery.forced === undefined &&
    !delivery.alone &&
    !last.delivery.alone &&
    topic === last.topic &&
    (topic ?? metadata.message) === last.message &&
    !isWord(delivery.input)
  );
}
