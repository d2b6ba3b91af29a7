/** Rules for the part of journals and inputs that an agent type keeps. */
import { DefinitionError } from "../errors/definition-errors.ts";
import type { OptionRules } from "./option-rules.ts";
import { atLeastOne, defined, duration, requireOptions } from "./option-rules.ts";

/**
 * Limits beyond which records may be removed. Each of `turns` and `ageMs` is a limit of its own: a
 * record beyond either goes. It goes in portions and never early: at least so much can always be
 * replayed.
 *
 * With a record goes the input that it is about, unless somebody may still need it: a dead letter
 * that can be redriven, an agent that is parked, a turn that has not ended anywhere.
 */
export interface RetentionOptions {
  /** Turns that are kept of each agent, at least. Minimum 1. @default all */
  readonly turns?: number;
  /** Time a turn is kept, at least, in milliseconds. Minimum 1. @default for ever */
  readonly ageMs?: number;
  /**
   * Keep everything until the agent has ended (`ctx.end()`); then records beyond the limits go, or
   * all of them when there are no limits. @default also while it lives
   */
  readonly after?: "ended";
}

export interface TopicRetention {
  /** Time a publication is kept, at least, in milliseconds. Minimum 1. @default for ever */
  readonly ageMs: number;
}

const rules: OptionRules<RetentionOptions> = {
  turns: atLeastOne,
  ageMs: duration,
  after: "other",
};

/** @throws DefinitionError */
export function requireRetention(type: string, options: RetentionOptions): RetentionOptions {
  const what = `Retention of the agent ${type}: `;
  requireOptions(what, options, rules);
  const rule = defined(options);
  const { after, ageMs, turns } = rule;
  if (after !== undefined && after !== "ended") {
    throw new DefinitionError(`${what}after is ${String(after)}; it can only be "ended".`, {
      details: { type, after },
    });
  }
  if (after === undefined && ageMs === undefined && turns === undefined) {
    throw new DefinitionError(
      `${what}it says nothing: name turns, ageMs, or after: "ended"; without retention everything is kept.`,
      { details: { type } },
    );
  }
  return Object.freeze({ ...rule });
}

/** @throws DefinitionError */
export function requireTopicRetention(topic: string, options: TopicRetention): TopicRetention {
  const what = `Retention of the topic ${topic}: `;
  requireOptions(what, options, { ageMs: duration });
  if (options.ageMs === undefined) {
    throw new DefinitionError(`${what}name ageMs; without retention everything is kept.`, {
      details: { topic },
    });
  }
  return Object.freeze({ ageMs: options.ageMs });
}

/** Turns between two base records of an agent. */
export function turnsBetweenBases({ turns = 0 }: RetentionOptions): number {
  return Math.max(turnsMin, turns);
}

/**
 * Least value of `turns` at which removal is worth the purges: these cost the server 100 to 300 µs
 * each.
 */
const turnsMin = 32;
