/** Summary of a turn in one line: the events, then the reply or the failure. */
import type { ErrorData } from "@troupe/core/log";
import type { RecordedEvent, TurnRecord } from "@troupe/core/operate";
import { toJson } from "./terminal/json.ts";
import { duration } from "./terminal/quantities.ts";

/** The message's name and `turnOutcome`. */
export function turnSummary(record: TurnRecord): string {
  const outcome = turnOutcome(record);
  return outcome === "" ? record.message : `${record.message} · ${outcome}`;
}

/**
 * `deposited {"amount":5} · reply 5 · 2 ms`, or the failure; the time only when it is worth
 * telling.
 */
export function turnOutcome(record: TurnRecord): string {
  const { attempts, changed, events, failure, reply, sent, tookMs } = record;
  return [
    ...events.map((event) => `${versioned(event)} ${toJson(event.data)}`),
    ...(sent.length === 0 ? [] : [`sent ${sent.length}`]),
    ...(failure === undefined ? [] : [failureSummary(failure)]),
    ...(reply === undefined || reply === null ? [] : [`reply ${toJson(reply)}`]),
    ...(changed === undefined ? [] : ["changed by interceptors"]),
    ...(attempts > 1 ? [`${attempts} tries`] : []),
    ...(tookMs < 1 ? [] : [duration(tookMs)]),
  ].join(" · ");
}

/** As it was recorded: `deposited`, from its second version on `deposited@2`. */
function versioned({ type, version = 1 }: RecordedEvent): string {
  return version === 1 ? type : `${type}@${version}`;
}

/** `rejected: insufficient funds {"missing":3}`, or the code and the message. */
export function failureSummary({ code, message, details }: ErrorData): string {
  if (code !== "rejected") return `${code}: ${message}`;
  const { reason, data } = details ?? {};
  const shown = data === undefined || data === null ? "" : ` ${toJson(data)}`;
  return `rejected: ${typeof reason === "string" ? reason : message}${shown}`;
}
