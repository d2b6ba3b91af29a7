/** Settings for running a projection, with their defaults. */
import type { RetryPolicy } from "../../definition/retry-policy.ts";
import { requireRetryPolicy } from "../../definition/retry-policy.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { OptionRules } from "../../definition/option-rules.ts";
import {
  atLeastOneOrInfinite,
  defined,
  delay,
  requireOptions,
} from "../../definition/option-rules.ts";

export interface ProjectOptions {
  /** Most records in one transaction. Minimum 1. @default 500 */
  readonly batchSizeMax?: number;
  /**
   * Time a transaction waits for more records after its first one, in milliseconds; 0 for not at
   * all. @default 5
   */
  readonly batchWaitMs?: number;
  /** Most records read ahead of the transactions. Minimum 1. @default 2000 */
  readonly readAheadMax?: number;
  /** Most bytes of records read ahead. Minimum 1. @default 16777216 (16 MiB) */
  readonly readAheadBytesMax?: number;
  /**
   * Number of tries of the sink, and the pauses between them. @default for ever, 50 ms doubling up
   * to 5 s
   */
  readonly retry?: Partial<Pick<RetryPolicy, "attemptsMax" | "delayMs" | "delayMsMax">>;
  /**
   * Consequence of an event whose handler throws: `stop` keeps everything before it and ends the
   * run with the error; `skip` says so in the inspection feed and goes on. At an event of a newer
   * version than this code declares it stops in any case. @default "stop"
   */
  readonly poison?: "stop" | "skip";
  /** Throw the model away first, and build it from zero. @default false */
  readonly rebuild?: boolean;
  /** Stops the run. */
  readonly signal?: AbortSignal | undefined;
}

export interface ProjectSettings {
  readonly batchSizeMax: number;
  readonly batchWaitMs: number;
  readonly readAheadMax: number;
  readonly readAheadBytesMax: number;
  readonly retry: RetryPause;
  readonly poison: "stop" | "skip";
  readonly rebuild: boolean;
}

/** The part of a retry policy that says when. */
export type RetryPause = Pick<RetryPolicy, "attemptsMax" | "delayMs" | "delayMsMax">;

const projectSettingsDefault: ProjectSettings = Object.freeze({
  batchSizeMax: 500,
  batchWaitMs: 5,
  readAheadMax: 2000,
  readAheadBytesMax: 16 * 1024 * 1024,
  retry: Object.freeze({ attemptsMax: Infinity, delayMs: 50, delayMsMax: 5000 }),
  poison: "stop",
  rebuild: false,
});

const projectRules: OptionRules<ProjectOptions> = {
  batchSizeMax: atLeastOneOrInfinite,
  batchWaitMs: delay,
  readAheadMax: atLeastOneOrInfinite,
  readAheadBytesMax: atLeastOneOrInfinite,
  retry: "other",
  poison: "other",
  rebuild: "other",
  signal: "other",
};

/** @throws DefinitionError */
export function projectSettings(options: Omit<ProjectOptions, "signal">): ProjectSettings {
  const settings = {
    ...projectSettingsDefault,
    ...defined(options),
    retry: { ...projectSettingsDefault.retry, ...defined(options.retry ?? {}) },
  };
  requireOptions("Project option ", settings, projectRules);
  requireRetryPolicy("Project option retry.", settings.retry);
  const { poison } = settings;
  if (poison !== "stop" && poison !== "skip") {
    throw new DefinitionError(
      `Project option poison is ${String(poison)}; it must be "stop" or "skip".`,
      { details: { option: "Project option poison", value: poison } },
    );
  }
  return settings;
}
