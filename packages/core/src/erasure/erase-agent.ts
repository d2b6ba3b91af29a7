/**
 * Erasing an agent: everything that the log, the key store and the archive hold of it.
 *
 *  A1 A tombstone comes first, under the fence of the journal: from then on nothing that a worker does on what it knew of
 *     the agent is stored (I5), and nothing that lies before it is handled any more (I4).
 *  A2 Then everything before the tombstone is destroyed, part by part. Who is killed in between leaves an audit record that
 *     says so; doing it again goes on with the same erasure, up to the same position.
 *  A3 What comes after that position is a new life of the agent, and is not touched.
 *  A4 What others need stays: publications that another agent of this key has not handled. It is told, as are the messages
 *     that the agent sent, which others hold.
 */
import type { Archive } from "../archive/archive-port.ts";
import type { Clock } from "../clock/clock.ts";
import { LogUnavailableError, RevisionConflictError } from "../errors/log-errors.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { LogPart } from "../log/holdings.ts";
import type { Position } from "../log/input.ts";
import type { Log } from "../log/log.ts";
import { shardOfKey } from "../log/shard.ts";
import { subjectKeys } from "../personal/subject-keys.ts";
import { requireOptions } from "../schema/option-rules.ts";
import { encodeTombstone } from "../turn/tombstone-record.ts";
import { erasedDraft } from "./erase-message.ts";
import type { ErasureAudit } from "./erasure-audit.ts";
import { lastErasure, noteErasure } from "./erasure-audit.ts";
import type { EraseOptions, ErasedPart, Erasure, KeptPublications } from "./erasure.ts";
import { eraseOptionRules } from "./erasure.ts";
import type { JournalScan, Tombstone } from "./journal-scan.ts";
import { nothingScanned, scanJournal } from "./journal-scan.ts";
import { neededBy } from "./publications.ts";

export interface ErasureHost {
  readonly log: Log;
  /** Where what was truncated lies; what it holds of the agent is erased, too. */
  readonly archive: Pick<Archive, "erase"> | undefined;
  readonly clock: Clock;
  /** Who does it, when the options do not say. */
  readonly name: string;
}

/** What there is to destroy, by the name under which it is told. */
interface Plan {
  readonly upTo: Position;
  /** Behind every record of before. */
  readonly before: Position;
  readonly parts: ReadonlyMap<string, LogPart>;
  readonly kept: readonly KeptPublications[];
}

/** @throws LogUnavailableError, RevisionConflictError, DefinitionError */
export async function eraseAgent(
  host: ErasureHost,
  agent: AgentId,
  options: EraseOptions = {},
): Promise<Erasure> {
  requireOptions("Option ", options, eraseOptionRules);
  const { log } = host;
  if (options.dryRun === true) return counted(log, agent, options);
  const last = await lastErasure(log, agent);
  const isOpen = last.audit !== undefined && last.audit.finishedAtMs === undefined;
  const start = await scanJournal(log, agent, nothingScanned, options);
  const buriedAt = isOpen ? tombstoneOf(start, last.audit)?.revision : undefined;
  // What waits is not to fire any more; what a new life has set is its own (A3).
  const timersUpTo = buriedAt ?? Infinity;
  await log.destroy({ kind: "timers", agent }, timersUpTo, options);
  const audit = isOpen ? last.audit : await begun(host, agent, { options, scan: start });
  let { revision } = last;
  if (!isOpen) revision = await noteErasure(log, agent, { audit, revision });
  const { scan, tombstone } = await buried(host, agent, { audit, options, scan: start });
  await log.accept(erasedDraft(agent, `erased@${tombstone.revision}`), options);
  // Once: what a new life has sealed meanwhile is its own, too.
  const key = audit.key ?? (await subjectKeys(log).erase(agentName(agent)));
  revision = await noteErasure(log, agent, { audit: { ...audit, key }, revision });
  const plan = await planOf(log, agent, tombstone);
  const parts = await destroyed(log, plan, options);
  const archived = await inArchive(host, agent, plan);
  const counts = Object.fromEntries(parts.map(({ count, part }) => [part, count]));
  const done = { ...audit, key, finishedAtMs: host.clock.now(), destroyed: counts };
  await noteErasure(log, agent, { audit: done, revision });
  const { kept, upTo } = plan;
  const { sent } = scan;
  const sentCount = Math.max(audit.sentCount, scan.sentCount);
  const resumed = isOpen;
  return { agent, done: true, resumed, upTo, parts, key, kept, sentCount, sent, archived };
}

/** What would be destroyed now. */
async function counted(log: Log, agent: AgentId, options: EraseOptions): Promise<Erasure> {
  const last = await endOf(log, agent);
  const scan = await scanJournal(log, agent, nothingScanned, options);
  const plan = await planOf(log, agent, { inputPosition: last, revision: last + 1 });
  const parts: ErasedPart[] = [];
  for (const [part, where] of plan.parts) {
    parts.push({ part, ...(await log.holdings(where, positionFor(where, plan), options)) });
  }
  const key = await subjectKeys(log).has(agentName(agent));
  const { kept } = plan;
  const { sent, sentCount } = scan;
  const upTo = last;
  const archived = undefined;
  return { agent, done: false, resumed: false, upTo, parts, key, kept, sentCount, sent, archived };
}

/** Where the log ends for this agent: positions of other shards say nothing about it. */
async function endOf(log: Log, { key }: AgentId): Promise<Position> {
  const { ends, last } = await log.end();
  return ends?.[shardOfKey(log, key)] ?? last;
}

async function begun(
  { clock, log, name }: ErasureHost,
  agent: AgentId,
  { options, scan }: { readonly options: EraseOptions; readonly scan: JournalScan },
): Promise<ErasureAudit> {
  const upTo = await endOf(log, agent);
  return {
    by: options.by ?? name,
    reason: options.reason,
    startedAtMs: clock.now(),
    finishedAtMs: undefined,
    upTo,
    destroyed: {},
    sentCount: scan.sentCount,
  };
}

/**
 * The tombstone; it is stored unless it is there already (A1). What was handled while it was on its
 * way goes too: its turns are forgotten, and it must not be handled again.
 */
async function buried(
  { log }: ErasureHost,
  agent: AgentId,
  start: {
    readonly audit: ErasureAudit;
    readonly options: EraseOptions;
    readonly scan: JournalScan;
  },
): Promise<{ readonly scan: JournalScan; readonly tombstone: Tombstone }> {
  const { by, reason, startedAtMs: erasedAtMs, upTo } = start.audit;
  const { id } = log;
  for (let { scan } = start; ;) {
    const { lastInput, revision: expectedRevision, turns } = scan;
    const tombstone = tombstoneOf(scan, start.audit);
    if (tombstone !== undefined) return { scan, tombstone };
    const inputPosition = Math.max(upTo, lastInput);
    const past = { log: id, turns, inputPosition };
    const record = encodeTombstone({ ...past, erasedAtMs, by, reason });
    try {
      const commit = { agent, expectedRevision, record, outgoing: [] };
      const [revision = 0] = await log.commit([commit]);
      return { scan, tombstone: { revision, inputPosition, erasedAtMs } };
    } catch (thrown) {
      const again =
        thrown instanceof RevisionConflictError || thrown instanceof LogUnavailableError;
      if (!again) throw thrown;
    }
    start.options.signal?.throwIfAborted();
    scan = await scanJournal(log, agent, scan, start.options);
  }
}

/** The tombstone of this very erasure, if it is there. */
function tombstoneOf(
  { tombstone }: JournalScan,
  { startedAtMs, upTo }: ErasureAudit,
): Tombstone | undefined {
  const isIt = tombstone?.erasedAtMs === startedAtMs && tombstone.inputPosition >= upTo;
  return isIt ? tombstone : undefined;
}

async function planOf(
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
  for (const topic of (await log.manifest(agent.type))?.topics ?? []) {
    const part: LogPart = { kind: "publications", topic, source: agent.key };
    const others = await neededBy(log, agent, topic, upTo);
    if (others.length === 0) parts.set(`publications on ${topic}`, part);
    else kept.push({ topic, neededBy: others, ...(await log.holdings(part, upTo)) });
  }
  return { upTo, before, parts, kept: kept.filter(({ count }) => count > 0) };
}

async function destroyed(
  log: Log,
  plan: Plan,
  options: EraseOptions,
): Promise<readonly ErasedPart[]> {
  const parts: ErasedPart[] = [];
  for (const [part, where] of plan.parts) {
    const upTo = positionFor(where, plan);
    const { bytes } = await log.holdings(where, upTo, options);
    parts.push({ part, bytes, count: await log.destroy(where, upTo, options) });
  }
  return parts;
}

/** Up to the tombstone for what the agent's turns left, else up to where everything is done. */
function positionFor({ kind }: LogPart, { before, upTo }: Plan): Position {
  return kind === "inputs" || kind === "publications" ? upTo : before;
}

async function inArchive(
  { archive }: ErasureHost,
  { key, type }: AgentId,
  { parts }: Plan,
): Promise<Erasure["archived"]> {
  if (archive === undefined) return undefined;
  let { segments, entries } = await archive.erase({ kind: "agent", name: type, key });
  for (const part of parts.values()) {
    if (part.kind !== "publications") continue;
    const more = await archive.erase({ kind: "topic", name: part.topic, key: part.source });
    segments += more.segments;
    entries += more.entries;
  }
  return { segments, entries };
}
