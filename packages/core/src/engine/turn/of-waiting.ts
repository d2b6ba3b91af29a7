/** Changes in the metadata of a timer's message, for the time until it fires. */
import type { Clock } from "../../clock/clock.ts";
import type { Metadata } from "../../definition/message/metadata.ts";
import type { TimerTime } from "../../definition/message/timer.ts";

/** A timer of a second is no loop that runs away; a part of it is over when the timer is set. */
const hoplessMs = 900;

/**
 * A trace ends while somebody still looks at it: later spans are of another one, which names this
 * one.
 */
const ownTraceMs = 5 * 60_000;

/** @param metadata of a message that goes at once */
export function ofWaiting(time: TimerTime, clock: Clock, metadata: Metadata): Partial<Metadata> {
  const delayMs = "everyMs" in time ? Infinity : time.atMs - clock.now();
  if (delayMs < hoplessMs) return {};
  if (delayMs < ownTraceMs) return { hops: undefined };
  const { traceparent: link } = metadata;
  return { hops: undefined, traceparent: undefined, tracestate: undefined, link };
}
