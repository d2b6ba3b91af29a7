/** The `ctx` of a batch handler. */
import type { AnyBatchItem, BatchContext, BatchStepInfo } from "./batch-context.ts";
import type { BatchCall } from "./batch-call.ts";
import { batchStep } from "./batch-step.ts";

export class BatchContextOfCall implements BatchContext {
  readonly type: string;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly traceparent: string;

  constructor({ name, signal, traceparent, type }: BatchCall) {
    this.type = type;
    this.name = name;
    this.signal = signal;
    this.traceparent = traceparent;
  }

  step<Item, Result>(
    name: string,
    items: readonly Item[],
    effect: (
      items: readonly Item[],
      step: BatchStepInfo,
    ) => readonly Result[] | Promise<readonly Result[]>,
  ): Promise<readonly Result[]> {
    const untyped = effect as (items: readonly AnyBatchItem[], step: BatchStepInfo) => unknown;
    return batchStep(name, items as readonly AnyBatchItem[], untyped, this.signal) as Promise<
      readonly Result[]
    >;
  }
}
