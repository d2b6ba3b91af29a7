/**
 * Erasing an agent: everything that the log, the key store and the archive hold of it.
 *
 *  ERASE-1 A tombstone comes first, under the fence of the journal: from then on nothing that a
 *     worker does on what it knew of the agent is stored (I5), and nothing that lies before it is
 *     handled any more (I4).
 *  ERASE-2 Then everything before the tombstone is destroyed, part by part. A process that is
 *     killed in between leaves an audit record that tells so, with the holdings that there were;
 *     doing it again goes on with the same erasure, up to the same position, with the same result.
 *  ERASE-3 Entries after that position are a new life of the agent, and are not touched: no
 *     message, timer or key of it.
 *  ERASE-4 Entries that others need stay: publications that another agent of this key has not
 *     handled. It is told, as are the messages that the agent sent, which others hold.
 */
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import { subjectKeys } from "../personal/subject-keys.ts";
import { requireOptions } from "../../definition/option-rules.ts";
import { buriedErasure } from "./burying.ts";
import { erasedDraft } from "../mailbox/erase-message.ts";
import type { Buried } from "./erasure-audit.ts";
import { noteErasure } from "./erasure-audit.ts";
import type { Plan } from "./erasure-plan.ts";
import { endFor, heldBy, planOf, positionFor } from "./erasure-plan.ts";
import type { EraseOptions, ErasedPart, Erasure, ErasureHost } from "./erasure.ts";
import { eraseOptionRules } from "./erasure.ts";
import { nothingScanned, scanJournal } from "./journal-scan.ts";

/** @throws LogUnavailableError, RevisionConflictError, DefinitionError */
export async function eraseAgent(
  host: ErasureHost,
  agent: AgentId,
  options: EraseOptions = {},
): Promise<Erasure> {
  requireOptions("Option ", options, eraseOptionRules);
  const { log } = host;
  if (options.dryRun === true) return counted(log, agent, options);
  const { audit, buried, resumed, revision } = await buriedErasure(host, agent, options);
  const { held, key, sent, tombstone } = buried;
  const { sentCount, upTo } = audit;
  await log.accept(erasedDraft(agent, `erased@${tombstone}`), options);
  if (key !== undefined) await subjectKeys(log).erase(agentName(agent), key);
  const plan = await planOf(log, agent, { inputPosition: upTo, revision: tombstone });
  const parts = await destroyed(log, plan, { held, options });
  const archived = await inArchive(host, agent, plan);
  const counts = Object.fromEntries(parts.map(({ count, part }) => [part, count]));
  const finishedAtMs = host.clock.now();
  const done = { ...audit, buried: undefined, finishedAtMs, destroyed: counts };
  await noteErasure(log, agent, { audit: done, revision });
  const told = { parts, key: key !== undefined, kept: plan.kept, sentCount, sent, archived };
  return { agent, done: true, resumed, upTo, ...told };
}

/** Counts what would be destroyed now. */
async function counted(log: Log, agent: AgentId, options: EraseOptions): Promise<Erasure> {
  const last = await endFor(log, agent);
  const scan = await scanJournal(log, agent, nothingScanned, options);
  const plan = await planOf(log, agent, { inputPosition: last, revision: last + 1 });
  const held = Object.entries(await heldBy(log, plan, options));
  const parts = held.map(([part, holdings]): ErasedPart => ({ part, ...holdings }));
  const key = (await subjectKeys(log).idOf(agentName(agent))) !== undefined;
  const { kept } = plan;
  const { sent, sentCount } = scan;
  const upTo = last;
  const archived = undefined;
  return { agent, done: false, resumed: false, upTo, parts, key, kept, sentCount, sent, archived };
}

/** @returns what there was, also of what an earlier try has destroyed */
async function destroyed(
  log: Log,
  plan: Plan,
  { held, options }: { readonly held: Buried["held"]; readonly options: EraseOptions },
): Promise<readonly ErasedPart[]> {
  const parts: ErasedPart[] = [];
  for (const [part, where] of plan.parts) {
    const upTo = positionFor(where, plan);
    parts.push({ part, ...(held[part] ?? (await log.holdings(where, upTo, options))) });
    await log.destroy(where, upTo, options);
  }
  return parts;
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
