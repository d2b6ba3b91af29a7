/**
 * The first half of an erasure: up to the note that its tombstone is stored. Nothing but timers is
 * destroyed before that, so all else can still be counted and listed.
 */
import { LogUnavailableError, RevisionConflictError } from "../../errors/log-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Holdings } from "../../log/holdings.ts";
import type { Log } from "../../log/log.ts";
import { subjectKeys } from "../personal/subject-keys.ts";
import { encodeTombstone } from "../../journal/tombstone-record.ts";
import type { Buried, ErasureAudit, NotedErasure } from "./erasure-audit.ts";
import { lastErasure, noteErasure } from "./erasure-audit.ts";
import { endFor, heldBy, planOf } from "./erasure-plan.ts";
import type { EraseOptions, ErasureHost } from "./erasure.ts";
import type { JournalScan, Tombstone } from "./journal-scan.ts";
import { nothingScanned, scanJournal } from "./journal-scan.ts";

export interface BuriedErasure extends NotedErasure {
  readonly buried: Buried;
  /** True for an erasure that had begun before. */
  readonly resumed: boolean;
}

/**
 * A new erasure, or the one that ended in the middle. @throws LogUnavailableError,
 * RevisionConflictError
 */
export async function buriedErasure(
  host: ErasureHost,
  agent: AgentId,
  options: EraseOptions,
): Promise<BuriedErasure> {
  const { log } = host;
  const { audit: last, revision } = await lastErasure(log, agent);
  const isOpen = last !== undefined && last.finishedAtMs === undefined;
  if (isOpen && last.buried !== undefined) {
    return { audit: last, buried: last.buried, revision, resumed: true };
  }
  const begun = isOpen
    ? { audit: last, revision }
    : await noteErasure(log, agent, { audit: await newAudit(host, agent, options), revision });
  const grave = await graveOf(log, agent, { audit: begun.audit, isOpen, options });
  const { buried, sentCount, upTo } = grave;
  const audit = { ...begun.audit, upTo, buried, sentCount };
  const noted = await noteErasure(log, agent, { audit, revision: begun.revision });
  return { ...noted, buried, resumed: isOpen };
}

async function newAudit(
  { clock, log, name }: ErasureHost,
  agent: AgentId,
  { by = name, reason }: EraseOptions,
): Promise<ErasureAudit> {
  const upTo = await endFor(log, agent);
  const startedAtMs = clock.now();
  return { by, reason, startedAtMs, finishedAtMs: undefined, upTo, destroyed: {}, sentCount: 0 };
}

interface Start {
  readonly audit: ErasureAudit;
  /** True for an erasure that had begun before. */
  readonly isOpen: boolean;
  readonly options: EraseOptions;
}

/** The tombstone, and the holdings before it. */
async function graveOf(
  log: Log,
  agent: AgentId,
  { audit, isOpen, options }: Start,
): Promise<Pick<ErasureAudit, "sentCount" | "upTo"> & { readonly buried: Buried }> {
  const scan = await scanJournal(log, agent, nothingScanned, options);
  const isThere = tombstoneFor(audit, scan) !== undefined;
  const waiting = isThere ? undefined : await withoutTimers(log, agent, options);
  // A message that fired until now is of the old life, too.
  const upTo = isOpen ? audit.upTo : await endFor(log, agent);
  const tombstone = await bury(log, agent, { audit: { ...audit, upTo }, options, scan });
  const held = { ...(await heldBy(log, await planOf(log, agent, tombstone), options)) };
  if (waiting !== undefined) held["timers"] = waiting;
  const key = await subjectKeys(log).idOf(agentName(agent));
  const { inputPosition, revision } = tombstone;
  // Without what a new life has added (ERASE-3).
  const life = { ...options, until: revision };
  const { sent, sentCount } = await scanJournal(log, agent, nothingScanned, life);
  return { upTo: inputPosition, sentCount, buried: { tombstone: revision, key, held, sent } };
}

/** Cancels the agent's waiting timers. @returns those that waited */
async function withoutTimers(log: Log, agent: AgentId, options: EraseOptions): Promise<Holdings> {
  const timers = { kind: "timers", agent } as const;
  const waiting = await log.holdings(timers, Infinity, options);
  await log.destroy(timers, Infinity, options);
  return waiting;
}

/**
 * Stores the tombstone (ERASE-1). Messages that were handled while it was on its way go too: their
 * turns are forgotten, and they must not be handled again.
 */
async function bury(
  log: Log,
  agent: AgentId,
  start: {
    readonly audit: ErasureAudit;
    readonly options: EraseOptions;
    readonly scan: JournalScan;
  },
): Promise<Tombstone> {
  const { by, reason, startedAtMs: erasedAtMs, upTo } = start.audit;
  for (let { scan } = start; ;) {
    const there = tombstoneFor(start.audit, scan);
    if (there !== undefined) return there;
    const { lastInput, revision: expectedRevision, turns } = scan;
    const inputPosition = Math.max(upTo, lastInput);
    const past = { log: log.id, turns, inputPosition, handledTo: lastInput };
    const record = encodeTombstone({ ...past, erasedAtMs, by, reason });
    try {
      const commit = { agent, expectedRevision, record, outgoing: [] };
      const [revision = 0] = await log.commit([commit]);
      return { revision, inputPosition, erasedAtMs };
    } catch (thrown) {
      const again =
        thrown instanceof RevisionConflictError || thrown instanceof LogUnavailableError;
      if (!again) throw thrown;
    }
    start.options.signal?.throwIfAborted();
    scan = await scanJournal(log, agent, scan, start.options);
  }
}

/** The tombstone of this erasure, if it is the last one in the journal. */
function tombstoneFor(
  { startedAtMs, upTo }: ErasureAudit,
  { tombstone }: JournalScan,
): Tombstone | undefined {
  const isIt = tombstone?.erasedAtMs === startedAtMs && tombstone.inputPosition >= upTo;
  return isIt ? tombstone : undefined;
}
