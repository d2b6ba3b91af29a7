/**
 * Reason why nobody answered an ask, as far as that can be found out from outside: from the workers
 * that can be heard, from reports of the agent's worker, and from the agent's journal. One read,
 * shortly before the deadline.
 */
import type { ErrorData } from "../errors/troupe-error.ts";
import { keyToToken } from "../definition/message/key-token.ts";
import { partitionOfToken } from "../definition/message/partition.ts";
import type { AgentId } from "../definition/message/address.ts";
import { agentName } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";
import type { Log } from "../log/log.ts";
import { decodeJournalRecord } from "../journal/journal-record.ts";
import type { JournalRecord } from "../journal/journal-record.ts";
import type { WorkerWatch } from "./worker-watch.ts";

/** A reason, in one word for programs and a sentence for people. */
export interface Silence {
  readonly why:
    | "not-accepted"
    | "unreadable"
    | "no-worker"
    | "no-holder"
    | "parked"
    | "behind"
    | "running"
    | "waiting"
    | "unknown";
  readonly text: string;
}

interface SilentAsk {
  readonly agent: AgentId;
  /** Undefined when the log has not accepted it. */
  readonly position: Position | undefined;
  /** Failure that the agent's worker reported about it meanwhile. */
  readonly note: ErrorData | undefined;
}

export async function explainSilence(
  log: Log,
  watch: WorkerWatch,
  { agent, note, position }: SilentAsk,
): Promise<Silence> {
  if (position === undefined) return silence("not-accepted", "the log had not accepted it by then");
  if (note !== undefined) {
    const what = note.message.replace(/\.+$/, "");
    return silence("unreadable", `its journal cannot be read (${what})`);
  }
  const { key, type } = agent;
  const partition = partitionOfToken(keyToToken(key), log.partitions);
  const heard = watch.hostsOf(type, partition);
  if (heard?.hosts.length === 0) return silence("no-worker", `no worker hosts ${type} now`);
  const records = await log.journal(agent, position);
  const told = inJournal(
    agent,
    position,
    records.map(({ record }) => decodeJournalRecord(record)),
  );
  if (told !== undefined) return told;
  if (heard === undefined) return silence("unknown", "nothing in its journal tells why");
  if (heard.holder === undefined) {
    return silence("no-holder", `no worker holds its partition ${partition} of ${type} yet`);
  }
  const text = `its handler on ${heard.holder} still runs, or waits behind one that does`;
  return silence("waiting", text);
}

/** Reason for the silence, as the records after the ask tell it. */
function inJournal(
  agent: AgentId,
  position: Position,
  records: readonly JournalRecord[],
): Silence | undefined {
  const name = agentName(agent);
  const last = records.at(-1);
  if (last?.kind === "park" && last.park.parked) {
    const at = last.park.inputPosition;
    return silence("parked", `${name} is parked since the message at ${at} failed`);
  }
  if (last?.kind === "steps" && last.steps.inputPosition === position) {
    return silence("running", `its handler runs on ${last.steps.worker}, and recorded steps`);
  }
  const before = records.flatMap((each) => (each.kind === "turn" ? [each.turn.inputPosition] : []));
  const handled = before.filter((each) => each < position);
  if (handled.length === 0) return undefined;
  const text = `it waits behind earlier messages: ${handled.length} were handled since, the last one at ${handled.at(-1)}`;
  return silence("behind", text);
}

function silence(why: Silence["why"], text: string): Silence {
  return { why, text };
}
