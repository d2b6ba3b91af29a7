/**
 * Entries for the memory log: checked, and copied as if they had left the process.
 *
 * A caller may reuse its buffers and objects after the call; stored entries must not change with
 * them.
 */
import { InvalidKeyError, LogRefusedError, PayloadTooLargeError } from "@troupe/core/errors";
import type { TroupeError } from "@troupe/core";
import { keyToToken, tokenToKey, partitionOfToken } from "@troupe/core/log";
import type {
  Address,
  AgentId,
  DeadLetter,
  InputDraft,
  LogLimits,
  TurnCommit,
  Metadata,
  TimerChange,
  TimerTime,
} from "@troupe/core/log";

/** The part of the log a reader reads. */
export type Source = number | "unroutable" | Outbox;

/** Entries in a shard that wait for another one. */
export type Outbox = `to shard ${number}`;

export interface StorableRules {
  readonly partitions: number;
  readonly limits: LogLimits;
}

export interface StorableInput {
  readonly source: Source;
  readonly address: Address;
  readonly metadata: Metadata;
  readonly payload: Uint8Array;
  readonly fault?: TroupeError | undefined;
}

export interface StorableTurn {
  readonly agent: AgentId;
  /** The journal's name: the agent's, with the key as its token. */
  readonly journal: string;
  readonly expectedRevision: TurnCommit["expectedRevision"];
  readonly record: Uint8Array;
  readonly outgoing: readonly StorableInput[];
  readonly deadLetter: DeadLetter | undefined;
  readonly timers: readonly StorableTimer[];
}

/** A timer's change: without `set` it is cancelled. */
export interface StorableTimer {
  readonly id: string;
  readonly set: { readonly time: TimerTime; readonly input: StorableInput } | undefined;
}

/** A draft ready to be stored. @throws InvalidKeyError, PayloadTooLargeError */
export function storableInput(draft: InputDraft, rules: StorableRules): StorableInput {
  const { kind, name, key } = draft.address;
  if (keyToToken(name) !== name) throw badName(name);
  const source = partitionOfToken(keyToToken(key), rules.partitions);
  return {
    source,
    address: { kind, name, key },
    metadata: copyOfMetadata(draft.metadata),
    payload: copyOf(draft.payload, rules.limits, `${kind}/${name}/${key}`),
  };
}

/** A bare message as any client publishes it; `token` is used as it is written. */
export function foreignInput(
  address: { readonly kind: Address["kind"]; readonly name: string; readonly token: string },
  payload: Uint8Array,
  rules: StorableRules,
): StorableInput {
  const { kind, name, token } = address;
  const copy = copyOf(payload, rules.limits, `${kind}/${name}/${token}`);
  const metadata: Metadata = { foreign: true };
  try {
    const source = partitionOfToken(token, rules.partitions);
    return { source, address: { kind, name, key: tokenToKey(token) }, metadata, payload: copy };
  } catch (error) {
    if (!(error instanceof InvalidKeyError)) throw error;
    const written: Address = { kind, name, key: token };
    return { source: "unroutable", address: written, metadata, payload: copy, fault: error };
  }
}

/** A bare message on a subject of ours that is not an address. */
export function unroutableInput(
  subject: string,
  payload: Uint8Array,
  rules: StorableRules,
): StorableInput {
  const [kind, name = "", ...rest] = subject.split(".");
  const fault = new InvalidKeyError(
    `The subject ${subject} is not the address of an agent or topic.`,
    {
      details: { subject },
    },
  );
  const address: Address = { kind: kind === "agent" ? kind : "topic", name, key: rest.join(".") };
  const copy = copyOf(payload, rules.limits, subject);
  return { source: "unroutable", address, metadata: { foreign: true }, payload: copy, fault };
}

/** A turn ready to be stored. @throws InvalidKeyError, PayloadTooLargeError, LogRefusedError */
export function storableTurn(turn: TurnCommit, rules: StorableRules): StorableTurn {
  const { type, key } = turn.agent;
  const name = `${type}/${key}`;
  return {
    agent: { type, key },
    journal: journalName(turn.agent),
    expectedRevision: turn.expectedRevision,
    record: recordCopy(turn.record, rules.limits, name),
    outgoing: turn.outgoing.map((draft) => storableInput(draft, rules)),
    deadLetter: turn.deadLetter && storableDeadLetter(turn.deadLetter),
    timers: (turn.timers ?? []).map((change) => storableTimer(change, rules)),
  };
}

function storableTimer(change: TimerChange, rules: StorableRules): StorableTimer {
  const id = keyToToken(change.id);
  if (change.kind === "cancel") return { id, set: undefined };
  return { id, set: { time: { ...change.time }, input: storableInput(change.message, rules) } };
}

/** A dead letter ready to be stored. */
export function storableDeadLetter(deadLetter: DeadLetter): DeadLetter {
  return { ...structuredClone(deadLetter), payload: new Uint8Array(deadLetter.payload) };
}

/** @throws InvalidKeyError */
export function journalName(agent: AgentId): string {
  return `${agent.type}.${keyToToken(agent.key)}`;
}

function recordCopy(record: Uint8Array, { payloadBytesMax }: LogLimits, agent: string): Uint8Array {
  if (record.length > 0 && record.length <= payloadBytesMax) return new Uint8Array(record);
  throw new LogRefusedError(
    `The record of ${agent} has ${record.length} bytes; the log takes 1 to ${payloadBytesMax}.`,
    { details: { agent, bytes: record.length, bytesMax: payloadBytesMax } },
  );
}

function badName(name: string): InvalidKeyError {
  return new InvalidKeyError(`${JSON.stringify(name)} cannot name an agent type or a topic.`, {
    details: { name },
  });
}

function copyOf(payload: Uint8Array, limits: LogLimits, destination: string): Uint8Array {
  if (payload.length > limits.payloadBytesMax) {
    throw new PayloadTooLargeError(
      `${payload.length} bytes for ${destination} are more than the log's limit of ` +
        `${limits.payloadBytesMax}: store the content elsewhere and send a reference.`,
      { details: { destination, bytes: payload.length, bytesMax: limits.payloadBytesMax } },
    );
  }
  return new Uint8Array(payload);
}

/** A copy without the fields that are undefined: headers cannot tell them from absent ones. */
function copyOfMetadata(metadata: Metadata): Metadata {
  const present = Object.entries(metadata).filter(([, value]) => value !== undefined);
  const copy: Metadata = Object.fromEntries(present);
  const { askers, callers } = copy;
  return {
    ...copy,
    ...(askers === undefined ? {} : { askers: [...askers] }),
    ...(callers === undefined ? {} : { callers: [...callers] }),
  };
}
