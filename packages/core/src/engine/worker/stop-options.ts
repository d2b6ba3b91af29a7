/** Bounds on the time that a stop takes. */
import { delay, requireOptions } from "../../definition/option-rules.ts";
import type { OptionRules } from "../../definition/option-rules.ts";

export interface StopOptions {
  /**
   * Time running turns may take to finish, in milliseconds; then they are given back. The default
   * leaves room in the 30 seconds that Kubernetes gives a process after SIGTERM. Minimum 0.
   * @default 20000
   */
  readonly drainTimeoutMs?: number;
}

const stopRules: OptionRules<StopOptions> = { drainTimeoutMs: delay };
const drainTimeoutMsDefault = 20_000;

/** @throws DefinitionError that names an option which is not usable */
export function drainTimeoutMsOf(options: StopOptions): number {
  requireOptions("Stop option ", options, stopRules);
  return options.drainTimeoutMs ?? drainTimeoutMsDefault;
}
