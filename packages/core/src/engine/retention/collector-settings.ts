/** Pace at which a worker removes what its types' retention lets go. */
import type { OptionRules } from "../../definition/option-rules.ts";
import { atLeastOne, delay, duration } from "../../definition/option-rules.ts";

export interface CollectorSettings {
  /**
   * Agents whose history is shortened in a second, at most, by one worker. Each costs the log a few
   * requests. Minimum 1. @default 500
   */
  readonly agentsPerSecond: number;
  /**
   * Time after which the records before a stored base record may go, in milliseconds. It covers the
   * time in which a broker may lose what it had acknowledged (its `sync_interval`), and in which
   * askers look for a lost reply. Minimum 0. @default 600000
   */
  readonly settleMs: number;
  /**
   * Milliseconds between two looks at what is handled everywhere, which bounds what inputs may go.
   * Minimum 1. @default 10000
   */
  readonly lookMs: number;
  /**
   * Time between two searches for agents that are not active any more, and whose turns are beyond
   * their age, in milliseconds. Minimum 1. @default 3600000
   */
  readonly sweepMs: number;
  /**
   * Records of a type from which on they are removed by prefix, all agents' at once, instead of
   * agent by agent. Minimum 1. @default 8192
   */
  readonly prefixMin: number;
}

export const collectorSettingsDefault: CollectorSettings = Object.freeze({
  agentsPerSecond: 500,
  settleMs: 600_000,
  lookMs: 10_000,
  sweepMs: 3_600_000,
  prefixMin: 8192,
});

export const collectorRules: OptionRules<CollectorSettings> = {
  agentsPerSecond: atLeastOne,
  settleMs: delay,
  lookMs: duration,
  sweepMs: duration,
  prefixMin: atLeastOne,
};
