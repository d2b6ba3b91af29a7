/**
 * A log and its archive, read as one.
 *
 * Everything of a chain up to its frontier comes from the archive, what is after it from the log.
 *
 *  ACROSS-1 While somebody reads, others archive and truncate: the log's answer counts only when
 *     the frontier, looked at afterwards, is not beyond where the reading was. Otherwise that part
 *     is read again, from the archive.
 *  ACROSS-2 A segment that is not there was replaced, when the manifest does not name it any more,
 *     and the part is read again; only otherwise it is missing.
 */
import type { AgentId } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { JournalEntry, Log, ReadOptions } from "../log.ts";
import { archiveUnsteady, isReplaced, triesMax } from "./archive-changes.ts";
import type { Archive } from "./archive-port.ts";
import type { ArchivedEntry, Chain } from "./chain.ts";
import { chainName } from "./chain.ts";
import type { ChainManifest } from "./chain-manifest.ts";
import { followAcross } from "./follow-across.ts";

/**
 * The log, whose `journal` and `follow` also give what its archive has. Everything else is the
 * log's.
 *
 * @example
 * ```ts
 * const whole = acrossArchive(log, archive);
 * ```
 */
export function acrossArchive(log: Log, archive: Archive): Log {
  const methods: Partial<Log> = {
    journal: (agent, after, options) => journalAcross(log, archive, { agent, after }, options),
    follow: (request) => followAcross(log, archive, request),
  };
  return new Proxy(log, {
    get(_, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(log, name, log);
      // Bound to the log itself, because a proxy has none of its private fields.
      return typeof value === "function" ? value.bind(log) : value;
    },
  });
}

interface JournalPart {
  readonly agent: AgentId;
  readonly after: Position;
}

async function journalAcross(
  log: Log,
  archive: Archive,
  part: JournalPart,
  options: ReadOptions = {},
): Promise<readonly JournalEntry[]> {
  const { after, agent } = part;
  const chain: Chain = { kind: "agent", name: agent.type };
  for (let tries = 0; tries < triesMax; tries += 1) {
    const manifest = await archive.manifest(chain, options);
    const archived = await archivedRecords(archive, manifest, part, options);
    if (archived === "replaced") continue;
    if (archived.length > 0) return archived;
    const from = Math.max(after, manifest.archivedTo);
    const page = await log.journal(agent, from, options);
    // ACROSS-1
    if ((await archive.manifest(chain, options)).archivedTo <= from) return page;
  }
  throw archiveUnsteady(archive, chainName(chain));
}

async function archivedRecords(
  archive: Archive,
  manifest: ChainManifest,
  { after, agent: { key } }: JournalPart,
  { signal }: ReadOptions,
): Promise<readonly JournalEntry[] | "replaced"> {
  try {
    for (let from = after; ;) {
      const entries = await archive.page(manifest, key, from, { signal });
      const last = entries.at(-1);
      if (last === undefined) return [];
      const records = entries.filter(({ kind }) => kind === "turn").map(journalEntryOf);
      if (records.length > 0) return records;
      from = last.position;
    }
  } catch (thrown) {
    if (await isReplaced(archive, manifest.chain, thrown)) return "replaced";
    throw thrown;
  }
}

function journalEntryOf({ bytes, position, storedAtMs }: ArchivedEntry): JournalEntry {
  return { revision: position, record: bytes, committedAtMs: storedAtMs };
}
