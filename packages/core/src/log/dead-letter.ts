/** A message that will not be handled, kept with the reason and its untouched payload (I10). */
import type { ErrorData } from "../errors/troupe-error.ts";
import type { AgentId } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";
import type { ContentType } from "../wire/payload.ts";

export interface DeadLetter {
  /** The agent that could not handle it; absent when the address itself was unusable. */
  readonly agent?: AgentId | undefined;
  /** Position of the original on the log. */
  readonly inputPosition: Position;
  /** The original's address as it was written, for people: `topic/inquiries/conversation-42`. */
  readonly origin: string;
  readonly failure: ErrorData;
  /** Number of times that the handler was tried. 0 when the message never reached it. */
  readonly attempts: number;
  readonly payload: Uint8Array;
  /** Encoding of the payload, as the original said; absent when it did not say. */
  readonly contentType?: ContentType | undefined;
}
