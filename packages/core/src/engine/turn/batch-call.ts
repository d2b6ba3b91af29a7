/**
 * A call of a batch handler: messages take slots while it gathers, the handler runs once, and each
 * message hears its own outcome.
 *
 *  BATCH-1 A message is one turn, in a batch as alone: its record, its reply, its retries, its dead
 *     letter. Of a batch whose messages failed in part, the others commit.
 *  BATCH-2 Messages of one agent sit in log order, and all of its messages that are being handled
 *          sit in one call (I2).
 *  BATCH-3 When the handler throws, nobody knows which message it was: each is tried again alone,
 *     so that the bad one fails alone (I10). That run alone comes after every failure, and also
 *     when the runs are used up.
 *  BATCH-4 A message whose turn is given up meanwhile keeps its slot, and the handler's work on it
 *     has no effect. Its asks and limits are waited for as long as one of the others is there,
 *     because their handler must not fail.
 *  BATCH-5 A call holds one permit, whatever its size, and none while it gathers (I7).
 */
import { BatchContextOfCall } from "./batch-context-of-call.ts";
import type { BatchHost } from "./batch-host.ts";
import type { ItemContext } from "./batch-item.ts";
import type { BatchSettings } from "../../definition/batch-settings.ts";
import { requireOnePerItem } from "../../definition/batch-results.ts";
import type { BatchHandler } from "../../definition/batch-context.ts";
import { BatchFailure } from "../../definition/batch-context.ts";
import { errorData, isFinal } from "../../errors/troupe-error.ts";
import { PermitHold } from "../runtime/permit-hold.ts";
import { rootTraceparent } from "../../definition/message/trace-context.ts";
import type { OpenTurn } from "./open-turn.ts";

/** A message's place in a call. */
export interface BatchSlot {
  readonly call: BatchCall;
  readonly turn: OpenTurn;
  readonly item: ItemContext;
  /** Place among what the handler is given; -1 before that. */
  index: number;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

export interface BatchCallParts {
  readonly host: BatchHost;
  readonly settings: BatchSettings;
  readonly type: string;
  readonly name: string;
  readonly handler: BatchHandler;
  /** Called once no message can take a slot any more. */
  readonly onClosed: () => void;
}

export class BatchCall {
  readonly type: string;
  readonly name: string;
  /** A trace of its own, because its messages come from many. */
  readonly traceparent: string;
  readonly permit: PermitHold;
  readonly #parts: BatchCallParts;
  readonly #slots = new Set<BatchSlot>();
  /** Slots of the messages that the running handler is still wanted for. */
  #wanted = new Set<BatchSlot>();
  #whenUnwanted: (() => void)[] = [];
  readonly #abort = new AbortController();
  #bytes = 0;
  #size = 0;
  #startedAtMs = 0;
  #phase: "gathering" | "closed" | "running" | "over" = "gathering";
  #cancelWait: (() => void) | undefined;

  constructor(parts: BatchCallParts) {
    this.#parts = parts;
    this.type = parts.type;
    this.name = parts.name;
    this.permit = new PermitHold(parts.host.permits);
    this.traceparent = rootTraceparent(parts.host.random);
  }

  /** Whether more messages can take a slot. */
  get open(): boolean {
    return this.#phase === "gathering";
  }

  /** The handler has the messages, and has not returned. */
  get running(): boolean {
    return this.#phase === "running";
  }

  /** The handler runs, and not all of its messages are given up. */
  get wanted(): boolean {
    return this.running && this.#wanted.size > 0;
  }

  /** Call `action` once when the handler is over, or wanted for none of its messages. */
  whenUnwanted(action: () => void): void {
    this.#whenUnwanted.push(action);
  }

  /** Messages that the handler was given; 0 before that. */
  get size(): number {
    return this.#size;
  }

  /** Time at which the handler was called, in milliseconds since the epoch. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  /** Fires when all of its messages are given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Turns of all of its messages. */
  get turns(): readonly OpenTurn[] {
    return [...this.#slots].map(({ turn }) => turn);
  }

  /** The turn that this item of the handler belongs to. */
  turnOf(item: unknown): OpenTurn | undefined {
    return [...this.#slots].find((slot) => slot.item === item)?.turn;
  }

  /** Resolves with the message's reply, rejects with its failure. */
  join(turn: OpenTurn, item: ItemContext): Promise<unknown> {
    const { promise, reject, resolve } = Promise.withResolvers<unknown>();
    // An interceptor may let go of it, and then nobody else hears that the turn was given up.
    promise.catch(() => undefined);
    const slot: BatchSlot = { call: this, turn, item, index: -1, resolve, reject };
    turn.takeSlot(slot);
    this.#slots.add(slot);
    this.#bytes += turn.delivery.input.payload.byteLength;
    const { host, settings } = this.#parts;
    if (this.#slots.size >= settings.size || this.#bytes >= settings.bytes) this.#close();
    else this.#cancelWait ??= host.clock.after(settings.waitMs, () => this.#close());
    return promise;
  }

  /** The turn is over, or given up for a reason. */
  leave(slot: BatchSlot, reason?: unknown): void {
    // The turn that waits for its slot must not wait for ever.
    if (this.#phase !== "running") {
      this.#slots.delete(slot);
      slot.reject(new Error("The turn was given up before its batch began."));
    } else {
      this.#wanted.delete(slot);
      if (this.#wanted.size === 0) this.#abandon(reason);
    }
    if (this.#slots.size === 0 && this.#phase === "gathering") this.#close();
  }

  #close(): void {
    if (this.#phase !== "gathering") return;
    this.#phase = "closed";
    this.#cancelWait?.();
    this.#parts.onClosed();
    // Later, because the message that filled the call is still taking its slot.
    queueMicrotask(() => this.#whenPermitted());
  }

  #whenPermitted(): void {
    const { permits } = this.#parts.host;
    if (this.#slots.size === 0) this.#phase = "over";
    else if (permits.free) this.#run();
    else permits.whenFree(() => this.#whenPermitted());
  }

  #run(): void {
    const { handler, host } = this.#parts;
    const startedAtMs = host.clock.monotonicMs();
    this.#phase = "running";
    this.#wanted = new Set(this.#slots);
    this.permit.take();
    this.#feedStarted();
    this.#startedAtMs = host.clock.now();
    const items = [...this.#slots].map((slot, index) => {
      slot.index = index;
      return slot.item;
    });
    this.#size = items.length;
    const returned = (results: unknown): void => this.#returned(results, startedAtMs);
    const threw = (thrown: unknown): void => this.#threw(thrown, startedAtMs);
    try {
      Promise.resolve(handler(new BatchContextOfCall(this), items)).then(returned, threw);
    } catch (thrown) {
      threw(thrown);
    }
  }

  #returned(results: unknown, startedAtMs: number): void {
    let replies: readonly unknown[] = [];
    try {
      const what = `The batch handler of ${this.type} for ${this.name}`;
      if (results !== undefined) replies = requireOnePerItem(what, results, this.#slots.size);
    } catch (thrown) {
      return this.#threw(thrown, startedAtMs);
    }
    this.#over(undefined, startedAtMs);
    let index = 0;
    for (const { item, reject, resolve } of this.#slots) {
      const reply = replies[index++];
      const failure = item.failure ?? (reply instanceof BatchFailure ? reply : undefined);
      if (failure === undefined) resolve(reply);
      else reject(failure.error);
    }
  }

  #threw(thrown: unknown, startedAtMs: number): void {
    this.#over(thrown, startedAtMs);
    const reason = this.#slots.size > 1 ? shared(thrown) : thrown;
    for (const { item, reject, turn } of this.#slots) {
      if (item.failure !== undefined) {
        reject(item.failure.error);
        continue;
      }
      turn.delivery.alone = true;
      if (this.#slots.size > 1) keepOneRun(turn);
      reject(reason);
    }
  }

  /** Ends the handler's call, because no message waits for it any more. */
  #abandon(reason: unknown): void {
    this.#abort.abort(reason ?? new Error("All messages of the batch were given up."));
    this.permit.leave();
    this.#unwanted();
  }

  #unwanted(): void {
    const actions = this.#whenUnwanted;
    this.#whenUnwanted = [];
    for (const action of actions) action();
  }

  #over(thrown: unknown, startedAtMs: number): void {
    this.#phase = "over";
    this.permit.leave();
    this.#unwanted();
    const { clock, feed } = this.#parts.host;
    if (!feed.active) return;
    const { name, traceparent, type } = this;
    const slots = [...this.#slots];
    feed.emit({
      kind: "batch.finished",
      type,
      name,
      traceparent,
      size: slots.length,
      failed: thrown === undefined ? slots.filter(({ item }) => item.failure).length : slots.length,
      failure: thrown === undefined ? undefined : errorData(thrown),
      tookMs: clock.monotonicMs() - startedAtMs,
    });
  }

  #feedStarted(): void {
    const { feed } = this.#parts.host;
    if (!feed.active) return;
    const { name, traceparent, type } = this;
    const links = [...this.#slots].map(({ turn }) => turn.traceparent);
    feed.emit({ kind: "batch.started", type, name, traceparent, size: links.length, links });
  }
}

/**
 * A refusal is final for the message that it is about, and nobody knows which that is (BATCH-3).
 */
function shared(thrown: unknown): unknown {
  if (!isFinal(thrown)) return thrown;
  return new Error(`A message of the batch failed: ${thrown.message}`, { cause: thrown });
}

/** Leaves the turn one more run, alone (BATCH-3), because its last one was not its own. */
function keepOneRun(turn: OpenTurn): void {
  // One that was given up may be running again by now.
  if (!turn.ended && turn.delivery.attempts >= turn.retry.attemptsMax) turn.uncount();
}
