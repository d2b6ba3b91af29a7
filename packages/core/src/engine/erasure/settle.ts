/**
 * Making sure that what turns sent is on the log, and that their journals say so, before an erasure
 * hides or destroys what a successor would look at (R3 in engine/turn/dispatch.ts).
 *
 *  B1 A tombstone stands behind no turn whose messages may be missing: nobody would store them any more.
 *  B2 No message is destroyed whose sender may still look for it: it would be sent again.
 */
import { LogUnavailableError, RevisionConflictError } from "../../errors/log-errors.ts";
import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import type { CallOptions, Log } from "../../log/log.ts";
import { dispatchAgain } from "../history/dispatch-again.ts";
import { fittingFloors, floorName } from "../../log/fitting-floors.ts";
import type { JournalScan } from "./journal-scan.ts";
import { nothingScanned, scanJournal } from "./journal-scan.ts";

export interface SettleHost {
  readonly log: Log;
  /** Name of the operator. */
  readonly name: string;
}

/**
 * The journal from where another scan ended, when it says that everything its turns sent is stored.
 * @throws LogUnavailableError
 */
export async function settledScan(
  host: SettleHost,
  agent: AgentId,
  before: JournalScan,
  options: CallOptions,
): Promise<JournalScan> {
  for (let scan = before; ;) {
    scan = await scanJournal(host.log, agent, scan, options);
    if (scan.undispatched === undefined) return scan;
    await settle(host, agent, scan).catch(unlessOverrun);
    options.signal?.throwIfAborted();
  }
}

/**
 * Settles the journals of all who sent an agent one of these messages, so that none of them looks
 * for it any more.
 * @throws LogUnavailableError
 */
export async function settleSenders(
  host: SettleHost,
  {
    options,
    pages,
  }: { readonly options: CallOptions; readonly pages: AsyncIterable<readonly Input[]> },
): Promise<void> {
  const last = new Map<string, Sent>();
  for await (const page of pages) {
    for (const input of page) {
      const sent = sentBy(input);
      const known = sent && last.get(agentName(sent.agent));
      if (sent !== undefined && !(known !== undefined && known.cause >= sent.cause)) {
        last.set(agentName(sent.agent), sent);
      }
    }
  }
  const { log } = host;
  const placed = [...last.values()].map((sent) => ({ ...sent, floor: floorOf(log, sent.agent) }));
  const { floors } = await fittingFloors(log, new Set(placed.map(({ floor }) => floor)));
  for (const { agent, cause, floor } of placed) {
    // Its place is done, so all that it sent is stored (R4).
    if ((floors.get(floor)?.position ?? 0) >= cause) continue;
    await settledScan(host, agent, { ...nothingScanned, revision: cause }, options);
  }
}

async function settle(
  { log, name: worker }: SettleHost,
  agent: AgentId,
  { revision, undispatched }: JournalScan,
): Promise<void> {
  if (undispatched === undefined) return;
  const commit = log.commit.bind(log);
  const footing = { commit, positionIn: () => 0, stored: () => undefined };
  const journal = { revision, stepsStored: () => undefined };
  await dispatchAgain({ log, worker, identity: log, footing }, agent, journal, undispatched);
}

interface Sent {
  readonly agent: AgentId;
  /** The input of the turn that sent it. */
  readonly cause: Position;
}

/** Ids of what turns send name the turn (`order@17:0`). */
function sentBy({ metadata }: Input): Sent | undefined {
  const { id = "", sender = "" } = metadata;
  const slash = sender.indexOf("/");
  const agent = { type: sender.slice(0, slash), key: sender.slice(slash + 1) };
  const place = /@(\d+):\d+$/.exec(id);
  if (slash < 1 || place === null || !id.startsWith(`${agent.type}@`)) return undefined;
  return { agent, cause: Number(place[1]) };
}

function floorOf(log: Log, { key, type }: AgentId): string {
  return floorName({ type, partition: partitionOfToken(keyToToken(key), log.partitions) });
}

/** A worker was quicker, or nobody knows: the log decides. */
function unlessOverrun(thrown: unknown): void {
  const isOverrun =
    thrown instanceof RevisionConflictError || thrown instanceof LogUnavailableError;
  if (!isOverrun) throw thrown;
}
