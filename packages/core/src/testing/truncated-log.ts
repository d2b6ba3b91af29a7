/**
 * A log in memory from which journals and inputs were truncated, as it looks to everybody, beside
 * the same log with everything: for tests that compare the two.
 */
import type { AgentId } from "../definition/message/address.ts";
import { agentName } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";
import type { Log, LogEntry } from "../log/log.ts";
import { withMethods } from "./contract/engine/tampered-log.ts";

export interface TruncatedLog {
  readonly log: Log;
  /** Hide an agent's records and inputs up to a position. */
  readonly truncate: (agent: AgentId, upTo: Position) => void;
}

export function truncatedLog(log: Log): TruncatedLog {
  const truncated = new Map<string, Position>();
  const upTo = (agent: AgentId): Position => truncated.get(agentName(agent)) ?? 0;
  const isGone = (entry: LogEntry): boolean => {
    if (entry.kind === "turn") return entry.entry.revision <= upTo(entry.agent);
    if (entry.kind !== "input") return false;
    const { address, position } = entry.input;
    return position <= upTo({ type: address.name, key: address.key });
  };
  return {
    truncate: (agent, position) => {
      truncated.set(agentName(agent), Math.max(upTo(agent), position));
    },
    log: withMethods(log, {
      journal: async (agent, after, options) =>
        log.journal(agent, Math.max(after, upTo(agent)), options),
      async *follow(request) {
        for await (const entry of log.follow(request)) if (!isGone(entry)) yield entry;
      },
    }),
  };
}
