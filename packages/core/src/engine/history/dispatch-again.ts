/**
 * Storing what a turn sent, when nobody here knows whether that was done (R3 in
 * engine/turn/dispatch.ts).
 */
import type { Undispatched } from "../../journal/undispatched.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { InputDraft, Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import { shardOfKey } from "../../log/shard.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import { encodeStepRecord } from "../../journal/step-record.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { AgentHistory } from "./agent-history.ts";

export interface AgainHost {
  readonly log: Log;
  /** Id of the worker. */
  readonly worker: string;
  readonly identity: { readonly id: string };
  readonly footing: Pick<LogFooting, "commit" | "positionIn" | "stored">;
}

/** The agent's journal as far as it is known; told of the steps that are stored there. */
type KnownJournal = Pick<AgentHistory, "revision" | "stepsStored">;

/** @throws RevisionConflictError, LogUnavailableError: start again from the journal */
export async function dispatchAgain(
  host: AgainHost,
  agent: AgentId,
  journal: KnownJournal,
  { drafts, inputPosition, revision }: Undispatched,
): Promise<void> {
  const { identity, log, worker } = host;
  const entry = { log: identity.id, inputPosition, steps: [], worker };
  const ends = { entry, expectedRevision: journal.revision, outgoing: [] };
  const expectedRevision = await append(host, agent, journal, ends);
  const isThere = await Promise.all(drafts.map((draft) => isStored(log, agent, draft, revision)));
  const outgoing = drafts.filter((_, index) => isThere[index] === false);
  const settled = { ...entry, dispatched: true };
  await append(host, agent, journal, { entry: settled, expectedRevision, outgoing });
}

interface Append {
  readonly entry: StepRecord;
  readonly expectedRevision: Position;
  readonly outgoing: readonly InputDraft[];
}

/** An entry together with messages. Returns where it is. */
async function append(
  { footing, log }: AgainHost,
  agent: AgentId,
  journal: KnownJournal,
  { entry, expectedRevision, outgoing }: Append,
): Promise<Position> {
  const record = encodeStepRecord(entry);
  const before = footing.positionIn(shardOfKey(log, agent.key));
  const commits = [{ agent, expectedRevision, record, outgoing }];
  const [revision = expectedRevision] = await footing.commit(commits);
  footing.stored(revision, record, before);
  journal.stepsStored(entry, revision, record.byteLength);
  return revision;
}

/** No attempt can store it any more, so a message that the leader does not have is nowhere. */
async function isStored(
  log: Log,
  { type }: AgentId,
  { address, metadata }: InputDraft,
  after: Position,
): Promise<boolean> {
  const { key, kind, name } = address;
  const isTopic = kind === "topic";
  const owner = { type: isTopic ? type : name, key };
  const topics = isTopic ? [name] : [];
  for (let last: Position | undefined = after; last !== undefined;) {
    const page = await log.inputsOf(owner, topics, last, Number.MAX_SAFE_INTEGER, { firm: true });
    const isIt = page.some(
      (input) =>
        input.metadata.id === metadata.id &&
        input.address.kind === kind &&
        input.address.name === name,
    );
    if (isIt) return true;
    last = page.at(-1)?.position;
  }
  return false;
}
