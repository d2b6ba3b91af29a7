/**
 * Whether code runs inside the function of a step. The recorded result of such a function belongs
 * to all runs, but an event or message would belong to the draft of one run; so the function may
 * not use its turn's context. Code of the same handler beside the step may, so the call itself is
 * asked where it comes from. Only runs that take steps pay for it.
 */
import { AsyncLocalStorage } from "node:async_hooks";

import { ContextInStepError } from "../../errors/step-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";

interface StepScope {
  readonly step: string;
  /** The turns whose step it is: several in a batch. */
  readonly turns: readonly object[];
  over: boolean;
}

const scope = new AsyncLocalStorage<StepScope>();

/** Run the function of a step; also one that returns a lazy promise, or throws at once. */
export async function insideStep(
  step: string,
  turns: readonly object[],
  effect: () => unknown,
): Promise<unknown> {
  const current: StepScope = { step, turns, over: false };
  try {
    return await scope.run(current, async () => effect());
  } finally {
    // Work that it started and left behind is not part of it.
    current.over = true;
  }
}

/** @throws ContextInStepError */
export function requireOutsideStep(turn: { readonly agent: AgentId }): void {
  const current = scope.getStore();
  if (current === undefined || current.over || !current.turns.includes(turn)) return;
  const agent = agentName(turn.agent);
  throw new ContextInStepError(
    `The function of the step ${current.step} of ${agent} uses the turn's context. When the turn runs again the function does not, so that would be lost: return it from the step, and emit or send after.`,
    { details: { agent, step: current.step } },
  );
}
