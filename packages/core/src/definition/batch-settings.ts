/** Rules by which messages gather for one call of a batch handler. */
import { DefinitionError } from "../errors/definition-errors.ts";
import type { OptionRules } from "./option-rules.ts";
import { atLeastOne, defined, delay, requireOptions } from "./option-rules.ts";

export interface BatchSettings {
  /**
   * Messages in one call, at most; reaching it starts the call. Of one agent there are never more
   * than the worker's `runAheadMax`. Minimum 1. @default 100
   */
  readonly size: number;
  /** Payload bytes in one call; reaching them starts the call. Minimum 1. @default 1048576 */
  readonly bytes: number;
  /**
   * Time the first message waits for others, in milliseconds; then the call starts with those that
   * are there. Minimum 0. @default 5
   */
  readonly waitMs: number;
  /**
   * Messages that share a call: those of all agents of the type that the worker hosts, or only
   * those of one agent. @default "type"
   */
  readonly by: "type" | "key";
}

export const batchSettingsDefault: BatchSettings = Object.freeze({
  size: 100,
  bytes: 1_048_576,
  waitMs: 5,
  by: "type",
});

const batchRules: OptionRules<BatchSettings> = {
  size: atLeastOne,
  bytes: atLeastOne,
  waitMs: delay,
  by: "other",
};

/** @throws DefinitionError */
export function batchSettings(what: string, options: Partial<BatchSettings>): BatchSettings {
  const settings = { ...batchSettingsDefault, ...defined(options) };
  requireOptions(`${what}: batch.`, settings, batchRules);
  const { by } = settings;
  if (by !== "type" && by !== "key") {
    throw new DefinitionError(`${what}: batch.by is ${String(by)}; it must be "type" or "key".`, {
      details: { option: `${what}: batch.by`, value: by },
    });
  }
  return Object.freeze(settings);
}
