/**
 * W3C trace context (https://www.w3.org/TR/trace-context/), level 1: `00-<32 hex trace id>-<16 hex
 * span id>-<2 hex flags>`.
 *
 * Every hop carries it: publisher -> message header -> turn record -> outgoing message header. A
 * turn's own span is defined in turn-span.ts.
 */
import { randomFillSync } from "node:crypto";
import type { Random } from "../../clock/random.ts";
import { hexOf, systemRandom } from "../../clock/random.ts";
import type { Metadata } from "./metadata.ts";

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: string;
}

const pattern = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(?:-|$)/;
const noTraceId = "0".repeat(32);
const noSpanId = "0".repeat(16);

/** Parse a traceparent header; undefined when it is absent or invalid, as the standard demands. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length < 55) return undefined;
  // Tested and cut instead of matched: this runs once per turn.
  if (!pattern.test(header) || header.startsWith("ff")) return undefined;
  const traceId = header.slice(3, 35);
  const spanId = header.slice(36, 52);
  if (traceId === noTraceId || spanId === noSpanId) return undefined;
  return { traceId, spanId, flags: header.slice(53, 55) };
}

/** A traceparent for the root of a new sampled trace. */
export function rootTraceparent(random: Random = systemRandom): string {
  return `00-${randomHex(16, random)}-${randomHex(8, random)}-01`;
}

/**
 * The caller's context as it travels with a message, so that what comes of it hangs below a span
 * that the caller itself stores. Nothing when it is absent or invalid: the message's turn then
 * begins a trace. The state is left out when a header could not carry it.
 */
export function callersTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
): Pick<Metadata, "traceparent" | "tracestate"> {
  if (parseTraceparent(traceparent) === undefined) return noTrace;
  if (tracestate === undefined || !statePattern.test(tracestate)) return { traceparent };
  return { traceparent, tracestate };
}

const noTrace = Object.freeze({});
/** Printable, and no longer than everybody has to carry. */
const statePattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?$/;

/** Random bytes are drawn in blocks: one system call serves some hundred spans. */
const block = Buffer.alloc(4096);
let used = block.length;

function randomHex(bytes: number, random: Random): string {
  if (random !== systemRandom) return hexOf(random, bytes);
  if (used + bytes > block.length) {
    randomFillSync(block);
    used = 0;
  }
  const hex = block.toString("hex", used, used + bytes);
  used += bytes;
  return /^0+$/.test(hex) ? randomHex(bytes, random) : hex;
}
