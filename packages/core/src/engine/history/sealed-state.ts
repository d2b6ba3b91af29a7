/**
 * A state that holds personal data, as it is kept: sealed as a whole, with the keys of everybody
 * whose data went into it. Erasing one of them makes it unreadable, and the journal is folded again
 * without that person.
 */
import { StateTooLargeError } from "../../errors/snapshot-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import type { Snapshot } from "./snapshot.ts";
import { Sealed } from "../../wire/sealed.ts";
import { seal } from "../personal/box.ts";
import { openValue } from "../personal/opening.ts";
import type { StateReferences } from "../personal/state-references.ts";
import { withReferences } from "../personal/state-references.ts";
import type { SubjectKey } from "../personal/subject-key.ts";
import { subjectKeys } from "../personal/subject-keys.ts";

/** People whose data may be in a state that is kept as a whole. */
const subjectsMax = 1000;

/**
 * The state as it is kept; undefined when something in it was erased meanwhile.
 * @throws StateTooLargeError, KeysUnavailableError
 */
export async function sealedState(
  log: Log,
  agent: AgentId,
  { references, state }: { readonly state: unknown; readonly references: StateReferences },
): Promise<Sealed | undefined> {
  if (references.size > subjectsMax) throw tooMany(agentName(agent), references.size);
  const ring = await subjectKeys(log).learn(references.all);
  const keys: SubjectKey[] = [];
  for (const found of ring.values()) {
    if (found === "erased") return undefined;
    keys.push(found);
  }
  return seal(state, keys, undefined);
}

/**
 * A snapshot with its state open; undefined when something in it was erased.
 * @throws KeysUnavailableError, MissingKeyError, CorruptSealError
 */
export async function openedSnapshot(log: Log, snapshot: Snapshot): Promise<Snapshot | undefined> {
  const { state: kept } = snapshot;
  if (!(kept instanceof Sealed)) return snapshot;
  const keys = subjectKeys(log);
  const { changes } = keys;
  const state = await openValue(keys, kept, "sealed");
  if (state instanceof Sealed) return undefined;
  return { ...snapshot, state, references: withReferences(undefined, kept.keys, changes) };
}

function tooMany(agent: string, subjects: number): StateTooLargeError {
  return new StateTooLargeError(
    `The state of ${agent} gets no snapshot: it holds personal data of ${subjects} people, the limit is ${subjectsMax}. The agent goes on, but each activation folds its whole journal. Keep people's data in agents of their own.`,
    { details: { agent, subjects, subjectsMax } },
  );
}
