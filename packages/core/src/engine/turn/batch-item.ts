/**
 * The `item` of a batch handler: the context of one message's turn, with its data and its own
 * ending.
 */
import { TurnContext } from "./turn-context.ts";
import type { AnyBatchItem } from "../../definition/batch-context.ts";
import { BatchFailure } from "../../definition/batch-context.ts";

export class ItemContext extends TurnContext implements AnyBatchItem {
  /** Set when the message takes its slot: an interceptor may have changed it until then. */
  data: unknown = undefined;
  failure: BatchFailure | undefined;

  fail(error: unknown): BatchFailure {
    this.requireOutsideStep();
    this.failure ??= new BatchFailure(error);
    return this.failure;
  }
}
