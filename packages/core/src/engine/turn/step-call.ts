/** A call of `ctx.step`, with or without an input, made one thing. */
import { InvalidStepError } from "../../errors/step-errors.ts";
import { handedOut, stored } from "../../wire/storable.ts";
import { requireStepOptions } from "./call-options.ts";
import type { StepInfo, StepOptions } from "../../definition/context.ts";
import type { Digests } from "../../wire/digests.ts";

export interface StepCall {
  readonly name: string;
  /** Digest of its input; undefined for a step without one. */
  readonly digest: string | undefined;
  readonly effect: (step: StepInfo) => unknown;
  readonly options: StepOptions;
  /**
   * `effect`: user code, which must not use the turn's context, and is tried again as the same step
   * when it fails. `ask`: ours; an answer that says no is an answer, so the next one is another.
   */
  readonly kind: "ask" | "effect";
}

type Effect = (...values: readonly unknown[]) => unknown;

/**
 * `(name, effect, options?)` or `(name, input, effect, options?)`. The input is handed over as it
 * is stored. @throws InvalidStepError, DefinitionError, NotStorableError
 */
export function stepCall(name: unknown, rest: readonly unknown[], digests: Digests): StepCall {
  if (typeof name !== "string" || name === "" || name.startsWith("~")) {
    throw new InvalidStepError(
      `A step cannot have the name ${JSON.stringify(name)}: use a text that is not empty and does not begin with "~".`,
      { details: { name } },
    );
  }
  const [first, second] = rest;
  if (typeof second === "function") {
    const input = stored(first, `The input of the step ${name}`);
    const effect = second as Effect;
    const call = callOf(name, (step) => effect(handedOut(input), step), rest[2]);
    return { ...call, digest: digests.of(input) };
  }
  if (typeof first === "function") return callOf(name, first as Effect, second);
  throw new InvalidStepError(
    `The step ${name} has no function: ctx.step(name, effect) or ctx.step(name, input, effect).`,
    { details: { name } },
  );
}

function callOf(name: string, effect: StepCall["effect"], given: unknown): StepCall {
  const options = (given ?? {}) as StepOptions;
  requireStepOptions(options);
  return { name, digest: undefined, effect, options, kind: "effect" };
}
