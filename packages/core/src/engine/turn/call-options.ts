/**
 * Options of single calls: sending, asking, steps, timers, following. Checked when the call is
 * made.
 */
import type { MessageOptions } from "../../definition/agent-calls.ts";
import type { PublishOptions, SendOptions } from "../../definition/send-options.ts";
import type { FollowRequest } from "../../log/log.ts";
import type { OptionRules } from "../../definition/option-rules.ts";
import {
  atLeastZero,
  duration,
  requireNumber,
  requireOptions,
} from "../../definition/option-rules.ts";
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { AfterEnd } from "../../definition/context.ts";
import type {
  AskOptions,
  EndOptions,
  StepOptions,
  TimerOptions,
  TimerTarget,
} from "../../definition/context.ts";

const askRules: OptionRules<AskOptions> = { timeoutMs: duration, signal: "other" };
const sendRules: OptionRules<SendOptions> = { signal: "other" };
const messageRules: OptionRules<MessageOptions> = { id: "other" };
const publishRules: OptionRules<PublishOptions> = { ...sendRules, ...messageRules };
const stepRules: OptionRules<StepOptions> = { timeoutMs: duration, limit: "other", cost: "other" };
const timerRules: OptionRules<TimerOptions & TimerTarget<never>> = {
  id: "other",
  agent: "other",
  key: "other",
};
const followRules: OptionRules<Omit<FollowRequest, "from">> = {
  after: "other",
  untilNow: "other",
  topics: "other",
  types: "other",
  kinds: "other",
  onPending: "other",
  signal: "other",
};

/** Requires usable options of an ask, in a turn or by a client. @throws DefinitionError */
export function requireAskOptions(options: AskOptions): void {
  requireOptions("Ask option ", options, askRules);
}

/** Options that were given after a message that is sent or asked. @throws DefinitionError */
export function messageOptionsOf(given: unknown): MessageOptions {
  const options = (given ?? {}) as MessageOptions;
  requireOptions("Message option ", options, messageRules);
  return options;
}

/** Requires usable options of publishing. @throws DefinitionError */
export function requirePublishOptions(options: PublishOptions): void {
  requireOptions("Publish option ", options, publishRules);
}

/** Requires usable options of sending. @throws DefinitionError */
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

/** Fate of later messages, as `ctx.end` was told. @throws DefinitionError */
export function afterEnd(options: EndOptions): AfterEnd {
  requireOptions("End option ", options, { later: "other" });
  const { later = "begin-again" } = options;
  if (later === "begin-again" || later === "refuse") return later;
  throw new DefinitionError(
    `End option later is ${String(later)}; it must be "begin-again" or "refuse".`,
    { details: { option: "later", value: later } },
  );
}

/** @throws DefinitionError */
export function requireFollowRequest({ from, ...request }: FollowRequest): void {
  requireOptions("Follow option ", request, followRules);
  if (from !== "new") requireNumber("Follow option from", from ?? null, atLeastZero);
}
