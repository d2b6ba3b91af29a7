/** Trace context in records: 25 or 33 bytes instead of 55 and more characters. */
import type { TurnSpan } from "../definition/message/turn-span.ts";

/**
 * Trace id, span id, flags, and the span of the message if there is one. A text that is no trace
 * context of ours stays as it is.
 */
export type WireTrace = Uint8Array | string;

/**
 * The same memory every time: it has to be written to the record before the next call.
 */
export function toWireTrace({ parent, traceparent }: TurnSpan): WireTrace {
  const into = parent === undefined ? root : child;
  const isRight =
    traceparent.length === 55 &&
    traceparent.startsWith("00-") &&
    readHex(traceparent, 3, into, 0, 16) &&
    readHex(traceparent, 36, into, 16, 8) &&
    readHex(traceparent, 53, into, 24, 1) &&
    (parent === undefined || (parent.length === 16 && readHex(parent, 0, into, 25, 8)));
  return isRight ? into : traceparent;
}

export function fromWireTrace(wire: WireTrace): TurnSpan {
  if (typeof wire === "string") return { traceparent: wire, parent: undefined };
  const { buffer, byteLength, byteOffset } = wire;
  const hex = Buffer.from(buffer, byteOffset, byteLength).toString("hex");
  return {
    traceparent: `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${hex.slice(48, 50)}`,
    parent: hex.length > 50 ? hex.slice(50, 66) : undefined,
  };
}

/** The hexadecimal digits of so many bytes; false when there are others. */
function readHex(text: string, from: number, into: Uint8Array, to: number, bytes: number): boolean {
  for (let index = 0; index < bytes; index++) {
    const high = digits[text.charCodeAt(from + 2 * index)] ?? noDigit;
    const low = digits[text.charCodeAt(from + 2 * index + 1)] ?? noDigit;
    if ((high | low) > 15) return false;
    into[to + index] = (high << 4) | low;
  }
  return true;
}

const noDigit = 0xff;
const digits: Uint8Array = new Uint8Array(128).fill(noDigit);
for (let value = 0; value < 16; value++) digits[value.toString(16).charCodeAt(0)] = value;

const root: Uint8Array = new Uint8Array(25);
const child: Uint8Array = new Uint8Array(33);
