/** Parts that an erasure destroys and keeps, once its tombstone is stored. */
import type { AgentId } from "../../definition/message/address.ts";
import type { Holdings, LogPart } from "../../log/holdings.ts";
import type { Position } from "../../definition/message/input.ts";
import type { CallOptions, Log } from "../../log/log.ts";
import { shardOfKey } from "../../log/shard.ts";
import type { KeptPublications } from "./erasure.ts";
import type { Tombstone } from "./journal-scan.ts";
import { neededBy } from "./publications.ts";

/** Parts to destroy, by the name under which they are told. */
export interface Plan {
  readonly upTo: Position;
  /** Behind every record of before. */
  readonly before: Position;
  readonly parts: ReadonlyMap<string, LogPart>;
  readonly kept: readonly KeptPublications[];
}

/** End of the log for an agent: positions of other shards say nothing about it. */
export async function endFor(log: Log, { key }: AgentId): Promise<Position> {
  const { ends, last } = await log.end();
  return ends?.[shardOfKey(log, key)] ?? last;
}

/** @throws LogUnavailableError */
export async function planOf(
  log: Log,
  agent: AgentId,
  { inputPosition: upTo, revision }: Pick<Tombstone, "inputPosition" | "revision">,
): Promise<Plan> {
  const before = revision - 1;
  const parts = new Map<string, LogPart>([
    ["snapshot", { kind: "snapshot", agent }],
    ["journal", { kind: "journal", agent }],
    ["messages", { kind: "inputs", agent }],
    ["dead letters", { kind: "dead-letters", agent }],
    ["timers", { kind: "timers", agent }],
  ]);
  const kept: KeptPublications[] = [];
  for (const topic of (await log.manifest(agent.type, { firm: true }))?.topics ?? []) {
    const part: LogPart = { kind: "publications", topic, source: agent.key };
    const others = await neededBy(log, agent, topic, upTo);
    if (others.length === 0) parts.set(`publications on ${topic}`, part);
    else kept.push({ topic, neededBy: others, ...(await log.holdings(part, upTo)) });
  }
  return { upTo, before, parts, kept: kept.filter(({ count }) => count > 0) };
}

/** Holdings that there are, by part. @throws LogUnavailableError */
export async function heldBy(
  log: Log,
  plan: Plan,
  options: CallOptions,
): Promise<Readonly<Record<string, Holdings>>> {
  const held: Record<string, Holdings> = {};
  for (const [part, where] of plan.parts) {
    held[part] = await log.holdings(where, positionFor(where, plan), options);
  }
  return held;
}

/** Up to the tombstone for what the agent's turns left, else up to where everything is done. */
export function positionFor({ kind }: LogPart, { before, upTo }: Plan): Position {
  return kind === "inputs" || kind === "publications" ? upTo : before;
}
