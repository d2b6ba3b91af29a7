/** Short ways to write messages and turns in checks. */
import { keyToToken, partitionOfToken } from "@troupe/core/log";
import type { AgentId, InputDraft, Position, Log, TurnCommit, Metadata } from "@troupe/core/log";

export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}

/** The agent of type `account` with this key. */
export function account(key: string): AgentId {
  return { type: "account", key };
}

/** A message for the agent of type `account` with this key. */
export function toAccount(key: string, content: string, metadata: Metadata = {}): InputDraft {
  return { address: { kind: "agent", name: "account", key }, metadata, payload: bytes(content) };
}

/** A message on the topic `inquiries`. */
export function toInquiries(key: string, content: string, metadata: Metadata = {}): InputDraft {
  return { address: { kind: "topic", name: "inquiries", key }, metadata, payload: bytes(content) };
}

/** A turn of the agent of type `account` with this key. */
export function turn(
  key: string,
  expectedRevision: Position | "chained",
  more: Partial<TurnCommit> = {},
): TurnCommit {
  const record = bytes(`turn of ${key}`);
  return { agent: account(key), expectedRevision, record, outgoing: [], ...more };
}

export function partitionOf(log: Log, key: string): number {
  return partitionOfToken(keyToToken(key), log.partitions);
}

/** `count` keys of one partition, different ones. */
export function keysOfPartition(log: Log, partition: number, count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    if (partitionOf(log, `key-${i}`) === partition) keys.push(`key-${i}`);
  }
  return keys;
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
