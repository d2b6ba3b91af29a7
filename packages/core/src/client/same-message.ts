/** Whether an id that the log knows stands for the message that was to be stored. */
import { IdTakenError } from "../errors/message-errors.ts";
import type { Input, InputDraft, Position } from "../log/input.ts";
import type { Log } from "../log/log.ts";
import { digestOf } from "../turn/recorded-step.ts";
import { decodePayload } from "../wire/payload.ts";

/**
 * Nothing was stored, because a message of this id lies at that position. @throws IdTakenError when
 * that is another message
 */
export async function requireSameMessage(
  log: Log,
  draft: InputDraft,
  position: Position,
): Promise<void> {
  const there = await log.input(position, { firm: true });
  // What was removed since cannot be compared, and was the one or the other.
  if (there === undefined || isSame(draft, there)) return;
  const { kind, name, key } = draft.address;
  const { id } = draft.metadata;
  throw new IdTakenError(
    `The id ${id} stands for another message to ${kind} ${name}/${key}, at ${position}; nothing was stored. Give every message an id of its own.`,
    { details: { id, position, address: draft.address } },
  );
}

function isSame(draft: InputDraft, there: Input): boolean {
  const { address, metadata, payload } = draft;
  if (address.kind !== there.address.kind || address.name !== there.address.name) return false;
  if (address.key !== there.address.key || metadata.message !== there.metadata.message)
    return false;
  if (Buffer.compare(payload, there.payload) === 0) return true;
  return digestOf(contentOf(draft)) === digestOf(contentOf(there));
}

function contentOf({ metadata, payload }: Pick<Input, "metadata" | "payload">): unknown {
  try {
    return decodePayload(payload, metadata.contentType);
  } catch {
    return payload;
  }
}
