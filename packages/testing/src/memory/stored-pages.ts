/** Answers of the stored log to questions about one agent, a page at a time. */
import type { AgentId, Input, Position, InputPlace, JournalEntry } from "@troupe/core/log";
import { partitionOfToken, tokenToKey } from "@troupe/core/log";
import type { Server } from "./server.ts";
import { journalName } from "./storable.ts";

export function journalPage(
  { settings, storage }: Server,
  agent: AgentId,
  after: Position,
): readonly JournalEntry[] {
  const journal = storage.journal(journalName(agent));
  const first = journal.findIndex((entry) => entry.revision > after);
  if (first < 0) return [];
  return journal.slice(first, first + settings.journalPageMax);
}

/** Keys of the agents of a type whose journals lie in a partition. */
export function keysOf(
  { rules, storage }: Server,
  type: string,
  partition: number,
): readonly string[] {
  const beginning = `${type}.`;
  return storage.journalNames.flatMap((name) => {
    const token = name.slice(beginning.length);
    const isTheirs =
      name.startsWith(beginning) && partitionOfToken(token, rules.partitions) === partition;
    return isTheirs ? [tokenToKey(token)] : [];
  });
}

export function inputAt({ storage }: Server, position: Position): Input | undefined {
  const entry = storage.isRemoved(position) ? undefined : storage.entries[position - 1];
  return entry?.kind === "input" ? entry.input : undefined;
}

/** The first input of a partition after a position, of one place or any. */
export function firstInput(
  { storage }: Server,
  partition: number,
  after: Position,
  place: Pick<InputPlace, "kind" | "name"> | undefined,
): Position | undefined {
  const found = storage.inputs(partition).find(({ address, position }) => {
    if (position <= after || storage.isRemoved(position)) return false;
    return place === undefined || (address.kind === place.kind && address.name === place.name);
  });
  return found?.position;
}

export function inputsOf(
  { settings, storage }: Server,
  agent: AgentId,
  topics: readonly string[],
  after: Position,
  before: Position,
): readonly Input[] {
  const found = storage.entries.flatMap((entry) => {
    if (entry.kind !== "input") return [];
    const { address, position } = entry.input;
    if (storage.isRemoved(position)) return [];
    if (position <= after || position >= before || address.key !== agent.key) return [];
    if (storage.isRemoved(position)) return [];
    const isTheirs =
      address.kind === "agent" ? address.name === agent.type : topics.includes(address.name);
    return isTheirs ? [entry.input] : [];
  });
  return found.slice(0, settings.journalPageMax);
}
