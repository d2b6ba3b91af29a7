/**
 * Number of runs that a turn gets, and the pauses between them. Retries happen inside the mailbox,
 * so the key's order is kept.
 */
import type { Random } from "../clock/random.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import { ProcessDiedError } from "../errors/message-errors.ts";
import { tryRead } from "../errors/thrown.ts";
import { isFinal } from "../errors/troupe-error.ts";
import type { OptionRules } from "./option-rules.ts";
import { atLeastOneOrInfinite, delay, duration, requireOptions } from "./option-rules.ts";

export interface RetryPolicy {
  /**
   * Handler runs in all, the first included; a run whose outcome the log did not store does not
   * count. Minimum 1; Infinity ends never. @default 5
   */
  readonly attemptsMax: number;
  /**
   * Delay before the second run, in milliseconds; it doubles with every run. Minimum 0. @default 50
   */
  readonly delayMs: number;
  /** Longest delay, in milliseconds. Minimum 0. @default 5000 */
  readonly delayMsMax: number;
  /**
   * Worker processes that may end while they handle the message, after a first one, before it is
   * given up by `exhausted`; such runs count as attempts, too. Minimum 1; Infinity where processes
   * are killed all the time for other reasons. @default 3
   */
  readonly deathsMax: number;
  /**
   * Time that one run may take, in milliseconds, before it counts as failed. Minimum 1. @default
   * 600000
   */
  readonly timeoutMs: number;
  /**
   * Fate of a message whose runs are used up: it becomes a dead letter, and the next message is
   * handled; or its agent is parked, and its later messages wait in order until somebody resumes
   * it. @default "dead-letter"
   */
  readonly exhausted: "dead-letter" | "park";
}

export const retryPolicyDefault: RetryPolicy = Object.freeze({
  attemptsMax: 5,
  deathsMax: 3,
  delayMs: 50,
  delayMsMax: 5000,
  timeoutMs: 600_000,
  exhausted: "dead-letter",
});

const retryRules: OptionRules<RetryPolicy> = {
  attemptsMax: atLeastOneOrInfinite,
  deathsMax: atLeastOneOrInfinite,
  delayMs: delay,
  delayMsMax: delay,
  timeoutMs: duration,
  exhausted: "other",
};

/** @param what begins the message: "Worker option retry." @throws DefinitionError */
export function requireRetryPolicy(what: string, policy: Partial<RetryPolicy>): void {
  requireOptions(what, policy, retryRules);
  const { exhausted } = policy;
  if (exhausted === undefined || exhausted === "dead-letter" || exhausted === "park") return;
  throw new DefinitionError(
    `${what}exhausted is ${String(exhausted)}; it must be "dead-letter" or "park".`,
    { details: { option: `${what}exhausted`, value: exhausted } },
  );
}

/**
 * Delay before the next run, or undefined when there is none: attempts used up, or an error that
 * stays.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  attempts: number,
  thrown: unknown,
  random: Random,
): number | undefined {
  if (attempts >= policy.attemptsMax) return undefined;
  if (isFinal(thrown) || isProcessDeath(thrown)) return undefined;
  return backoffMs(policy, attempts, random);
}

function isProcessDeath(thrown: unknown): boolean {
  return tryRead(() => thrown instanceof ProcessDiedError, false);
}

/** Whether a failure that is not tried again parks the agent; an error that stays never does. */
export function mustPark(policy: RetryPolicy, thrown: unknown): boolean {
  return policy.exhausted === "park" && !isFinal(thrown);
}

/** Exponential back-off with equal jitter: between half of the full delay and all of it. */
export function backoffMs(
  policy: Pick<RetryPolicy, "delayMs" | "delayMsMax">,
  attempts: number,
  random: Random,
): number {
  const full = Math.min(policy.delayMs * 2 ** Math.max(0, attempts - 1), policy.delayMsMax);
  return Math.round(full / 2 + (random() * full) / 2);
}
