/**
 * Identity of a step, and the part of it that is recorded.
 *
 * An effect is known by its name, its input, and the number of the same that were taken before in
 * the run. So a run that takes its steps in another order, or branches that overtake each other,
 * find their own results (I6, I13).
 */
import { createHash } from "node:crypto";

import { UndecodablePayloadError } from "../errors/message-errors.ts";
import type { AgentId } from "../definition/message/address.ts";
import type { Position } from "../definition/message/input.ts";

export interface StepIdentity {
  readonly name: string;
  /** Digest of the input in its stored form (`Digests`); undefined for a step without one. */
  readonly digest: string | undefined;
  /** 1 for the first step of this name and input in a run. */
  readonly use: number;
}

/** An effect that was recorded. */
export interface RecordedStep extends StepIdentity {
  /** Place among the steps of the run that took it, from 1, by first use. */
  readonly order: number;
  readonly value: unknown;
  readonly tookMs: number;
  /**
   * Time at which its effect began, in milliseconds after the start of its run; waits come before.
   */
  readonly startMs: number;
  /** Number of the handler's run that took it, from 1, as its worker counts them. */
  readonly run: number;
  /** Milliseconds that it waited for limits; absent when it did not. */
  readonly waitedMs?: number | undefined;
  /** Position of an ask's message on the log. */
  readonly askedAt?: Position | undefined;
}

/** The same for the same identity and no other: no name can make it look like another's. */
export function identityKey({ name, digest = "", use }: StepIdentity): string {
  return `${use}/${digest}/${name}`;
}

/** Name of a step as people read it. */
export function stepLabel({ name, digest, use }: StepIdentity): string {
  const input = digest === undefined ? "" : ` ${digest.slice(0, 8)}`;
  return `${name}${input}${use === 1 ? "" : ` #${use}`}`;
}

/**
 * The same in every run of this step, different for every other step of every agent, and plain
 * enough for a header. It begins with the agent's type and the input's position, for whoever looks
 * from the callee's side.
 *
 * @param log the id of the input's log, as records have it
 */
export function idempotencyKeyOf(
  log: string,
  agent: AgentId,
  inputPosition: Position,
  { name, digest, use }: StepIdentity,
): string {
  const { type, key } = agent;
  const hash = shortHash(
    JSON.stringify([log, type, key, inputPosition, name, digest ?? null, use]),
    32,
  );
  return `${type}@${inputPosition}.${hash}`;
}

function shortHash(content: string, characters: number): string {
  return createHash("sha256").update(content).digest("base64url").slice(0, characters);
}

/**
 * Name, digest, use, order, value; microseconds that it took; its start in microseconds after that
 * of its run; which run; microseconds that it waited for limits; where its ask lies.
 */
export type WireStep = readonly [
  string,
  string | null,
  number,
  number,
  unknown,
  number,
  number,
  number,
  number?,
  number?,
];

export function toWireStep(step: RecordedStep): WireStep {
  const { askedAt, digest = null, name, order, run, startMs, tookMs, use, value, waitedMs } = step;
  const took = Math.round(tookMs * 1000);
  const start = Math.round(startMs * 1000);
  if (askedAt === undefined && waitedMs === undefined) {
    return [name, digest, use, order, value, took, start, run];
  }
  const waited = Math.round((waitedMs ?? 0) * 1000);
  if (askedAt === undefined) return [name, digest, use, order, value, took, start, run, waited];
  return [name, digest, use, order, value, took, start, run, waited, askedAt];
}

/** @throws UndecodablePayloadError */
export function fromWireStep(wire: WireStep): RecordedStep {
  const [name, digest, use, order, value, took, start, run, waited = 0, askedAt] = wire;
  const isRight =
    typeof name === "string" &&
    (digest === null || typeof digest === "string") &&
    [use, order, run].every((count) => Number.isSafeInteger(count) && count > 0) &&
    [took, start, waited, askedAt ?? 0].every((number) => typeof number === "number");
  if (!isRight) {
    throw new UndecodablePayloadError("A recorded step has no name, use, order, run or times.");
  }
  return {
    name,
    digest: digest ?? undefined,
    use,
    order,
    value,
    tookMs: took / 1000,
    startMs: start / 1000,
    run,
    waitedMs: waited === 0 ? undefined : waited / 1000,
    askedAt,
  };
}
