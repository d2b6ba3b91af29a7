/** The context of a batch handler. */
import type { UntypedMessages } from "./agent-reference.ts";
import type { Context, StepOptions } from "./context.ts";

/** Return value of `fail`, which can stand in the place of a reply. */
export class BatchFailure {
  /** The reason why this message failed, as it was given to `fail`. */
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * A message of a batch, with its own agent's state. Events and messages that are emitted and sent
 * here belong to this message's turn: it commits, fails and is tried again by itself.
 *
 * Several messages of one agent may be in one batch. Each one's state then has what was emitted for
 * the others already; their events are stored in the order of the messages.
 */
export interface BatchItem<State, Events, Own, Data> extends Context<State, Events, Own> {
  readonly data: Data;
  /**
   * Fail this message and none of the others: its retry policy decides what happens next, and a
   * `Reject` is final. Has effect when the handler returns.
   *
   * @example
   * ```ts
   * item.fail(new Reject("no text"));
   * ```
   */
  fail(error: unknown): BatchFailure;
}

export interface BatchStepInfo {
  /**
   * A key per item, in the order of the items; each stays the same whenever its item is tried
   * again.
   */
  readonly idempotencyKeys: readonly string[];
  readonly signal: AbortSignal;
}

export type BatchStepOptions = Pick<StepOptions, "limit" | "cost">;

/** The call itself. */
export interface BatchContext {
  /** The agent type. */
  readonly type: string;
  /** The message's name, or the topic's. */
  readonly name: string;
  /** Aborted when all messages of the batch are given up. */
  readonly signal: AbortSignal;
  /** W3C traceparent of this call; the turns of its messages are linked to it. */
  readonly traceparent: string;
  /**
   * Run an effect for many messages: a model call in bulk, a bulk insert. `effect` gets the items
   * whose result is not recorded yet and returns one result per item, in their order; each is
   * recorded in its own agent's journal, so after a crash it returns and is not computed again
   * (I6). Resolves with one result per item. A limit is taken once for all items.
   *
   * @throws BatchResultError when `effect` does not return one result per item
   *
   * @example
   * ```ts
   * const vectors = await batchContext.step("embed", texts, (some) => model.embed(some));
   * ```
   */
  step<Item, Result>(
    name: string,
    items: readonly Item[],
    effect: (
      items: readonly Item[],
      step: BatchStepInfo,
    ) => readonly Result[] | Promise<readonly Result[]>,
    options?: BatchStepOptions,
  ): Promise<readonly Result[]>;
}

/** An item without types, for the engine. */
export type AnyBatchItem = BatchItem<unknown, Record<string, unknown>, UntypedMessages, unknown>;

/** A batch handler without its types. */
export type BatchHandler = (context: BatchContext, items: readonly AnyBatchItem[]) => unknown;
