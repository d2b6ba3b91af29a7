/**
 * Chains: entries that an archive keeps together, in log order and with one frontier.
 *
 * The chain of an agent type has its journal records and the inputs that are addressed to its
 * agents; that of a topic has its publications. Within a chain everything belongs to a key.
 */
import type { Input, Position } from "../../definition/message/input.ts";
import type { FollowRequest, LogEntry } from "../log.ts";
import type { Metadata } from "../../definition/message/metadata.ts";

export interface Chain {
  readonly kind: "agent" | "topic";
  /** Agent type or topic name. */
  readonly name: string;
}

/** An entry of a chain, as an archive keeps it. */
export interface ArchivedEntry {
  readonly kind: "turn" | "input";
  readonly key: string;
  readonly position: Position;
  /** Time at which the log stored it, in milliseconds since the epoch, by the log's clock. */
  readonly storedAtMs: number;
  /** The journal record, or the input's payload. */
  readonly bytes: Uint8Array;
  /** Metadata of an input. */
  readonly metadata?: Metadata | undefined;
}

/** `agent/order`, as people read it. */
export function chainName({ kind, name }: Chain): string {
  return `${kind}/${name}`;
}

/**
 * The parts of a chain, each of which one consumer follows with one filter, as is cheap for the
 * server.
 */
export function followsOf({
  kind,
  name,
}: Chain): readonly Pick<FollowRequest, "kinds" | "topics" | "types">[] {
  if (kind === "topic") return [{ kinds: ["input"], topics: [name], types: [] }];
  return [
    { kinds: ["turn"], types: [name] },
    { kinds: ["input"], topics: [], types: [name] },
  ];
}

/** A log's entry as the archive keeps it; undefined for what no chain has. */
export function archivedEntry(entry: LogEntry): ArchivedEntry | undefined {
  if (entry.kind === "turn") {
    const { committedAtMs: storedAtMs, record: bytes, revision: position } = entry.entry;
    return { kind: "turn", key: entry.agent.key, position, storedAtMs, bytes };
  }
  if (entry.kind !== "input") return undefined;
  const { acceptedAtMs: storedAtMs, address, metadata, payload: bytes, position } = entry.input;
  return { kind: "input", key: address.key, position, storedAtMs, bytes, metadata };
}

/** An archived entry as the log's. */
export function logEntryOf(chain: Chain, archived: ArchivedEntry): LogEntry {
  const { bytes: record, key, kind, position: revision, storedAtMs: committedAtMs } = archived;
  if (kind === "input") return { kind: "input", input: inputOf(chain, archived) };
  return {
    kind: "turn",
    agent: { type: chain.name, key },
    entry: { revision, record, committedAtMs },
  };
}

function inputOf(chain: Chain, archived: ArchivedEntry): Input {
  const { bytes: payload, key, metadata = {}, position, storedAtMs: acceptedAtMs } = archived;
  const address = { kind: chain.kind, name: chain.name, key };
  return { position, address, metadata, payload, acceptedAtMs };
}
