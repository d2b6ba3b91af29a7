/**
 * An effect for many messages, recorded per message (I6). Each item takes an ordinary step; those
 * whose result is not recorded meet in one call of the effect.
 */
import { requireOnePerItem } from "../../definition/batch-results.ts";
import { holding, waitForLimits } from "./step-limits.ts";
import { insideStep } from "./step-scope.ts";
import type { OpenTurn } from "./open-turn.ts";
import type {
  AnyBatchItem,
  BatchStepInfo,
  BatchStepOptions,
} from "../../definition/batch-context.ts";

/** The call of a batch handler, as a step in it sees it. */
export interface SteppingCall {
  readonly signal: AbortSignal;
  /** Turns of all of its messages. */
  readonly turns: readonly OpenTurn[];
  /** The turn that this item of the handler belongs to. */
  turnOf(item: unknown): OpenTurn | undefined;
}

interface AwaitedResult {
  readonly item: AnyBatchItem;
  /** Index of the item among all items. */
  readonly index: number;
  readonly idempotencyKey: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface BatchStep {
  readonly name: string;
  readonly items: readonly AnyBatchItem[];
  readonly effect: (items: readonly AnyBatchItem[], step: BatchStepInfo) => unknown;
  readonly options: BatchStepOptions;
}

export function batchStep(call: SteppingCall, step: BatchStep): Promise<readonly unknown[]> {
  const results = resultsFor(call, step);
  // A caller that awaits the results hears of the failure there (STEP-7).
  results.catch(() => undefined);
  return results;
}

async function resultsFor(call: SteppingCall, step: BatchStep): Promise<readonly unknown[]> {
  const { items, name } = step;
  const wanted: AwaitedResult[] = [];
  const taken = items.map((item, index) => {
    const begun = Promise.withResolvers<void>();
    const result = item.step(name, ({ idempotencyKey }) => {
      const { promise, reject, resolve } = Promise.withResolvers<unknown>();
      wanted.push({ item, index, idempotencyKey, resolve, reject });
      begun.resolve();
      return promise;
    });
    // Recorded, wanted, or over: then it is known what the effect is for.
    return { result, known: Promise.race([begun.promise, result.catch(() => undefined)]) };
  });
  await Promise.all(taken.map(({ known }) => known));
  const steps = taken.map(({ result }) => result);
  wanted.sort((a, b) => a.index - b.index);
  const computed = new Map<AnyBatchItem, unknown>();
  try {
    const results = await resultsOf(call, step, wanted);
    for (const [index, { item, resolve }] of wanted.entries()) {
      computed.set(item, results[index]);
      resolve(results[index]);
    }
  } catch (thrown) {
    for (const { reject } of wanted) reject(thrown);
    await Promise.allSettled(steps);
    throw thrown;
  }
  const outcomes = await Promise.allSettled(steps);
  return items.map((item, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === "fulfilled") return outcome.value;
    // Its record was refused: this message fails, the others have their results.
    item.fail(outcome?.reason);
    return computed.get(item);
  });
}

async function resultsOf(
  call: SteppingCall,
  { effect, name, options }: BatchStep,
  wanted: readonly AwaitedResult[],
): Promise<readonly unknown[]> {
  const [first] = wanted;
  if (first === undefined) return [];
  const { signal } = call;
  const items = wanted.map(({ item }) => item);
  const idempotencyKeys = wanted.map(({ idempotencyKey }) => idempotencyKey);
  const run = (): Promise<unknown> =>
    insideStep(name, call.turns, () => effect(items, { idempotencyKeys, signal }));
  const turn = call.turnOf(first.item);
  const results =
    options.limit === undefined || turn === undefined
      ? run()
      : holding(await waitForLimits(turn, name, options, signal), run);
  return requireOnePerItem(`The effect of the step ${name}`, await results, items.length);
}
