/** A message ready for the stream: subject, header lines and payload. */
import { LogRefusedError, PayloadTooLargeError } from "@troupe/core/errors";
import type { InputDraft } from "@troupe/core/log";

import { idScope, inputSubject } from "./input-subject.ts";
import { foreignLines, metadataLines, type IdHeader } from "./metadata-headers.ts";
import { placed } from "./outbox.ts";
import type { Subjects } from "./subjects.ts";

export interface DraftMessage {
  readonly subject: string;
  /** Header lines without the first and last line of the block. */
  readonly lines: string;
  readonly payload: Uint8Array;
}

/** Bytes kept free for headers below the server's largest message. */
export const headerRoomBytes = 16_384;

/** Rules by which an input becomes a message. */
export interface InputRules {
  readonly subjects: Subjects;
  readonly payloadBytesMax: number;
  readonly idHeader: IdHeader;
}

/**
 * An input as a message of the shard. @throws InvalidKeyError, LogRefusedError,
 * PayloadTooLargeError
 */
export function inputMessage(draft: InputDraft, on: InputRules): DraftMessage {
  const { payload } = draft;
  const subject = inputSubject(on.subjects, draft.address);
  const scope = on.idHeader === "Nats-Msg-Id" ? idScope(on.subjects, subject) : "";
  const lines = foreignLines(draft.metadata) + metadataLines(draft.metadata, on.idHeader, scope);
  if (payload.length > on.payloadBytesMax) {
    throw new PayloadTooLargeError(
      `The message for ${draft.address.kind}/${draft.address.name}/${draft.address.key} has ` +
        `${payload.length} bytes, more than the ${on.payloadBytesMax} the log takes; nothing was stored.`,
      { details: { bytes: payload.length, bytesMax: on.payloadBytesMax } },
    );
  }
  if (lines.length * 3 > headerRoomBytes && Buffer.byteLength(lines) > headerRoomBytes - 512) {
    throw new LogRefusedError(
      `The metadata of a message for ${draft.address.name}/${draft.address.key} is larger than ` +
        `${headerRoomBytes - 512} bytes; nothing was stored.`,
    );
  }
  return placed({ subject, lines, payload }, on.subjects);
}
