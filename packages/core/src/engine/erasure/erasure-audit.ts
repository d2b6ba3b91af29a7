/**
 * The audit record of an erasure: its operator, time, reason and extent, in a cell beside the log.
 * It is written before anything is destroyed, so that an erasure that ends in the middle is known
 * and can be finished, and once more when everything is done.
 */
import { createHash } from "node:crypto";

import { RevisionConflictError } from "../../errors/log-errors.ts";
import { isToken } from "../../definition/message/key-token.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Holdings } from "../../log/holdings.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import type { SentMessage } from "./erasure.ts";

export interface ErasureAudit {
  readonly by: string;
  readonly reason: string | undefined;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly upTo: Position;
  /** Set once the tombstone is stored, until the erasure is finished. */
  readonly buried?: Buried | undefined;
  /** Messages destroyed, by part; when it is finished. */
  readonly destroyed: Readonly<Record<string, number>>;
  /** Number of messages the agent had sent. */
  readonly sentCount: number;
}

/**
 * Facts about an erasure that is under way, which cannot be seen any more when a part of it is
 * done.
 */
export interface Buried {
  /** Position of the tombstone. */
  readonly tombstone: Position;
  /** Id of the person's key that goes; undefined when there was none. */
  readonly key?: string | undefined;
  /** Holdings that there were, by part. */
  readonly held: Readonly<Record<string, Holdings>>;
  readonly sent: readonly SentMessage[];
}

/** An audit record, as it is stored. */
export interface NotedErasure {
  readonly audit: ErasureAudit;
  readonly revision: Position;
}

interface AuditAt {
  readonly revision: Position;
  readonly audit: ErasureAudit | undefined;
}

/** The agent's last erasure. @throws LogUnavailableError */
export async function lastErasure(log: Log, agent: AgentId): Promise<AuditAt> {
  const cell = await log.cell(cellOf(agent));
  if (cell === undefined) return { revision: 0, audit: undefined };
  const audit = JSON.parse(new TextDecoder().decode(cell.value)) as ErasureAudit;
  return { revision: cell.revision, audit };
}

/**
 * Returns it as it is stored. @throws RevisionConflictError when somebody else erases the agent,
 * LogUnavailableError
 */
export async function noteErasure(
  log: Log,
  agent: AgentId,
  { audit, revision }: NotedErasure,
): Promise<NotedErasure> {
  const value = new TextEncoder().encode(JSON.stringify(audit));
  try {
    return { audit, revision: await log.writeCell(cellOf(agent), value, revision) };
  } catch (cause) {
    if (!(cause instanceof RevisionConflictError)) throw cause;
    const name = agentName(agent);
    throw new RevisionConflictError(
      `Somebody else is erasing ${name} at this moment; do it again if that does not end.`,
      { details: { agent: name }, cause },
    );
  }
}

/** A cell's name is one token, and an agent's key may fill one alone: then it is its hash. */
function cellOf(agent: AgentId): string {
  const name = agentName(agent);
  const cell = `erasure ${name}`;
  if (isToken(cell)) return cell;
  return `erasure ${createHash("sha256").update(name).digest("base64url")}`;
}
