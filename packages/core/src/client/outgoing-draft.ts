/** Drafts of a client's messages, as the log accepts them: with personal data sealed. */
import type { OutgoingCall } from "../engine/turn/interceptor.ts";
import { keyToToken } from "../definition/message/key-token.ts";
import type { InputDraft } from "../definition/message/input.ts";
import type { Log } from "../log/log.ts";
import type { Metadata } from "../definition/message/metadata.ts";
import type { PersonalNote } from "../definition/personal.ts";
import { sealedPayload } from "../engine/personal/sealing.ts";
import { fromInterceptors } from "../engine/turn/outgoing-payload.ts";
import { encodePayload } from "../wire/payload.ts";

/** @throws InvalidKeyError, NotStorableError */
export function draftOf(call: OutgoingCall, metadata: Metadata): InputDraft {
  keyToToken(call.address.key);
  return {
    address: call.address,
    metadata: { ...metadata, message: call.message, contentType: "application/msgpack" },
    payload: encodePayload(call.payload, fromInterceptors),
  };
}

/** The call with its personal data sealed. @throws KeysUnavailableError, NotStorableError */
export async function sealedCall(
  log: Log,
  call: OutgoingCall,
  note: PersonalNote,
): Promise<OutgoingCall> {
  const { key, name } = call.address;
  return { ...call, payload: await sealedPayload(log, note, call.payload, { type: name, key }) };
}
