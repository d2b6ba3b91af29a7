/**
 * The headers of a received message as the text they came as. The client would parse them into a
 * map of lists, which costs a third of everything that a turn allocates, and one pass over the text
 * finds what is needed. It reaches into the client for the bytes; where the client looks different,
 * the parsed headers are written as text again.
 */
import type { Msg, MsgHdrs } from "@nats-io/nats-core";

import { headerBlock, headerLine } from "./header-block.ts";

/** A received message as the client keeps it. */
interface ReceivedMessage {
  /** `hdr` is the length of the header block at the start of the data, or -1. */
  readonly _msg?: { readonly hdr?: number };
  readonly _rdata?: Uint8Array;
}

/** The header block; empty when there is none. */
export function headerText(message: Msg): string {
  const { _msg, _rdata } = message as unknown as ReceivedMessage;
  const length = _msg?.hdr;
  if (length === undefined || _rdata === undefined) return textOf(message.headers);
  if (length <= 0) return "";
  return Buffer.isBuffer(_rdata)
    ? _rdata.toString("utf8", 0, length)
    : utf8.decode(_rdata.subarray(0, length));
}

/** Bytes of the payload, without making a view of it as `data` does. */
export function payloadLength(message: Msg): number {
  const { _msg, _rdata } = message as unknown as ReceivedMessage;
  const length = _msg?.hdr;
  if (length === undefined || _rdata === undefined) return message.data.byteLength;
  return _rdata.byteLength - Math.max(0, length);
}

const utf8 = new TextDecoder();

function textOf(headers: MsgHdrs | undefined): string {
  let lines = "";
  for (const [name, values] of headers ?? []) {
    for (const value of values) lines += headerLine(name, value);
  }
  return headerBlock(lines).toString();
}

/** Calls `visit` with every header of the block, in order, values trimmed. */
export function visitHeaders(block: string, visit: (name: string, value: string) => void): void {
  let start = block.indexOf("\r\n") + 2;
  for (;;) {
    const end = block.indexOf("\r\n", start);
    if (start === 1 || end <= start) return;
    const colon = block.indexOf(":", start);
    if (colon > start && colon < end) {
      visit(block.slice(start, colon), block.slice(colon + 1, end).trim());
    }
    start = end + 2;
  }
}
