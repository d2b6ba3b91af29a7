/** The inspection events that a person who watches a worker wants to see, as lines. */
import { agentName } from "@troupe/core/log";
import type { InspectionEvent } from "@troupe/core";
import type { Entry } from "../terminal/entry-line.ts";
import { toJson } from "../terminal/json.ts";
import { duration } from "../terminal/quantities.ts";
import { failureSummary, turnSummary } from "../turn-summary.ts";

type LineOf<Kind extends InspectionEvent["kind"]> = (
  event: InspectionEvent & { readonly kind: Kind },
) => Omit<Entry, "atMs">;

type Lines = { readonly [Kind in InspectionEvent["kind"]]?: LineOf<Kind> };

const lines: Lines = {
  "turn.committed": ({ agent, record, revision }) => ({
    kind: record.failure === undefined ? "turn" : "failed",
    position: revision,
    address: agentName(agent),
    summary: turnSummary(record),
  }),
  "turn.retrying": ({ agent, attempt, delayMs, failure, inputPosition }) => ({
    kind: "retry",
    position: inputPosition,
    address: agentName(agent),
    summary: `attempt ${attempt} failed, again in ${duration(delayMs)} · ${failureSummary(failure)}`,
  }),
  "turn.given-back": ({ agent, inputPosition, reason }) => ({
    kind: "note",
    position: inputPosition,
    address: agentName(agent),
    summary: `given back · ${reason.message}`,
  }),
  "dead-letter": ({ agent, failure, inputPosition }) => ({
    kind: "dead",
    position: inputPosition,
    address: agent === undefined ? "no address" : agentName(agent),
    summary: failureSummary(failure),
  }),
  "agent.parked": ({ agent, failure, inputPosition }) => ({
    kind: "failed",
    position: inputPosition,
    address: agentName(agent),
    summary: `parked${failure === undefined ? "" : ` · ${failureSummary(failure)}`}`,
  }),
  "agent.resumed": ({ agent, inputPosition }) => ({
    kind: "turn",
    position: inputPosition,
    address: agentName(agent),
    summary: "resumed",
  }),
  "commit.failed": ({ agents, failure }) => ({
    kind: "note",
    address: "commit",
    summary: `${agents.length} turns run again · ${failureSummary(failure)}`,
  }),
  "agent.log": ({ agent, fields, inputPosition, level, message }) => ({
    kind: "log",
    position: inputPosition,
    address: agentName(agent),
    summary: `${level}: ${message}${Object.keys(fields).length === 0 ? "" : ` ${toJson(fields)}`}`,
  }),
  "worker.joined": ({ worker }) => ({
    kind: "note",
    address: "worker",
    summary: `${worker} joined`,
  }),
  "worker.left": ({ dead, worker }) => ({
    kind: "note",
    address: "worker",
    summary: `${worker} ${dead ? "died" : "left"}`,
  }),
  fault: ({ failure, what }) => ({
    kind: "failed",
    address: what,
    summary: failureSummary(failure),
  }),
};

/** The line of an event; undefined for what only programs care about. */
export function readableEvent(event: InspectionEvent): Entry | undefined {
  const line = lines[event.kind] as ((event: InspectionEvent) => Omit<Entry, "atMs">) | undefined;
  return line && { ...line(event), atMs: Date.now() };
}
