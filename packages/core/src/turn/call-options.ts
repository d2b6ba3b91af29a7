/**
 * Options of single calls: sending, asking, steps, timers, following. Checked when the call is
 * made.
 */
import type { SendOptions } from "../client/troupe.ts";
import type { FollowRequest } from "../log/log.ts";
import type { OptionRules } from "../schema/option-rules.ts";
import { atLeastZero, duration, requireNumber, requireOptions } from "../schema/option-rules.ts";
import type { AskOptions, StepOptions, TimerOptions, TimerTarget } from "./context.ts";

const askRules: OptionRules<AskOptions> = { timeoutMs: duration, signal: "other" };
const sendRules: OptionRules<SendOptions> = { id: "other", signal: "other" };
const outerAskRules: OptionRules<AskOptions & SendOptions> = { ...askRules, ...sendRules };
const stepRules: OptionRules<StepOptions> = { timeoutMs: duration, limit: "other", cost: "other" };
const timerRules: OptionRules<TimerOptions & TimerTarget<never>> = {
  id: "other",
  agent: "other",
  key: "other",
};
const followRules: OptionRules<Omit<FollowRequest, "from">> = {
  untilNow: "other",
  topics: "other",
  types: "other",
  kinds: "other",
  onPending: "other",
  signal: "other",
};

/** Of an ask inside a turn. @throws DefinitionError */
export function requireAskOptions(options: AskOptions): void {
  requireOptions("Ask option ", options, askRules);
}

/** Of an ask by a client. @throws DefinitionError */
export function requireOuterAskOptions(options: AskOptions & SendOptions): void {
  requireOptions("Ask option ", options, outerAskRules);
}

/** Of sending and publishing. @throws DefinitionError */
export function requireSendOptions(options: SendOptions): void {
  requireOptions("Send option ", options, sendRules);
}

/** @throws DefinitionError */
export function requireStepOptions(options: StepOptions): void {
  requireOptions("Step option ", options, stepRules);
}

/** @throws DefinitionError */
export function requireTimerOptions(options: Partial<TimerTarget<never>>): void {
  requireOptions("Timer option ", options, timerRules);
}

/** @throws DefinitionError */
export function requireFollowRequest({ from, ...request }: FollowRequest): void {
  requireOptions("Follow option ", request, followRules);
  if (from !== "new") requireNumber("Follow option from", from ?? null, atLeastZero);
}
