/**
 * What a step is known by, and what is recorded of it.
 *
 * An effect is what it is: its name, its input, and how many of the same were taken before in the
 * run. So a run that takes its steps in another order, or branches that overtake each other, find
 * their own results (I6, I13).
 */
import { createHash } from "node:crypto";

import { UndecodablePayloadError } from "../errors/message-errors.ts";
import type { AgentId } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import { encodePayload } from "../wire/payload.ts";

export interface StepIdentity {
  readonly name: string;
  /** Of the input in its stored form; undefined for a step without one. */
  readonly digest: string | undefined;
  /** 1 for the first step of this name and input in a run. */
  readonly use: number;
}

/** One recorded effect. */
export interface RecordedStep extends StepIdentity {
  /** Its place among the steps of the run that took it, from 1, by first use. */
  readonly order: number;
  readonly value: unknown;
  readonly tookMs: number;
}

/** The same for the same identity and no other: no name can make it look like another's. */
export function identityKey({ name, digest = "", use }: StepIdentity): string {
  return `${use}/${digest}/${name}`;
}

/** As people read it. */
export function stepLabel({ name, digest, use }: StepIdentity): string {
  const input = digest === undefined ? "" : ` ${digest.slice(0, 8)}`;
  return `${name}${input}${use === 1 ? "" : ` #${use}`}`;
}

/** The same for values with the same content, whatever the order of their properties. */
export function digestOf(value: unknown): string {
  return shortHash(encodePayload(sorted(value)), 22);
}

/**
 * The same in every run of this step, different for every other step of every agent, and plain
 * enough for a header. It begins with the agent's type and the input's position, for whoever looks
 * from the callee's side.
 */
export function idempotencyKeyOf(
  agent: AgentId,
  inputPosition: Position,
  { name, digest, use }: StepIdentity,
): string {
  const { type, key } = agent;
  const hash = shortHash(JSON.stringify([type, key, inputPosition, name, digest ?? null, use]), 32);
  return `${type}@${inputPosition}.${hash}`;
}

function shortHash(content: string | Uint8Array, characters: number): string {
  return createHash("sha256").update(content).digest("base64url").slice(0, characters);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Name, digest, use, order, value, milliseconds. */
export type WireStep = readonly [string, string | null, number, number, unknown, number];

export function toWireStep(step: RecordedStep): WireStep {
  const { name, digest = null, use, order, value, tookMs } = step;
  return [name, digest, use, order, value, tookMs];
}

/** @throws UndecodablePayloadError */
export function fromWireStep(wire: WireStep): RecordedStep {
  const [name, digest, use, order, value, tookMs] = wire;
  const isRight =
    typeof name === "string" &&
    (digest === null || typeof digest === "string") &&
    [use, order].every((count) => Number.isSafeInteger(count) && count > 0) &&
    typeof tookMs === "number";
  if (isRight) return { name, digest: digest ?? undefined, use, order, value, tookMs };
  throw new UndecodablePayloadError("A recorded step has no name, use, order or time.");
}
