/** The `ctx` of a batch handler. */
import type {
  AnyBatchItem,
  BatchContext,
  BatchStepInfo,
  BatchStepOptions,
} from "../../definition/batch-context.ts";
import { batchStep, type SteppingCall } from "./batch-step.ts";

interface DescribedCall extends SteppingCall {
  readonly type: string;
  readonly name: string;
  readonly traceparent: string;
}

export class BatchContextOfCall implements BatchContext {
  readonly type: string;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly traceparent: string;

  readonly #call: DescribedCall;

  constructor(call: DescribedCall) {
    const { name, signal, traceparent, type } = call;
    this.#call = call;
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
    options: BatchStepOptions = {},
  ): Promise<readonly Result[]> {
    const step = {
      name,
      items: items as readonly AnyBatchItem[],
      effect: effect as (items: readonly AnyBatchItem[], step: BatchStepInfo) => unknown,
      options,
    };
    return batchStep(this.#call, step) as Promise<readonly Result[]>;
  }
}
