/**
 * Interceptors wrap what a process sends, receives and commits, like the layers of an onion: the
 * first one given is the outermost. Each may change the value, refuse by throwing, or do something
 * before and after `next`.
 */
import { DefinitionError } from "../../errors/definition-errors.ts";
import type { Address } from "../../definition/message/address.ts";
import type { MessageInfo } from "../../definition/context.ts";
import type { TurnRecord } from "../../journal/turn-record.ts";
import type { RecordedEvent } from "../../definition/recorded-event.ts";
import { handedOut } from "../../wire/storable.ts";
import { ignore, isThenable } from "../../wire/thenable.ts";

/** A message on its way out: from a client at once, from a turn with its commit. */
export interface OutgoingCall {
  readonly how: "send" | "ask" | "publish";
  readonly address: Address;
  /** Message name; undefined for a publication. */
  readonly message: string | undefined;
  readonly payload: unknown;
  /** `type/key` of the agent whose turn sends it; undefined for a client. */
  readonly from: string | undefined;
}

/** A message on its way to a handler. */
export interface IncomingCall {
  readonly agent: { readonly type: string; readonly key: string };
  readonly message: MessageInfo;
  readonly payload: unknown;
  /**
   * Whether a batch handler gets it along with others: `next` resolves when the batch has gathered
   * and is over.
   */
  readonly batch: boolean;
  /** Aborted when the turn is given up. */
  readonly signal: AbortSignal;
}

export interface Interceptor {
  /**
   * Around a direct message. Returns what `next` returns: a promise for a client, nothing inside a
   * turn.
   */
  readonly send?: (call: OutgoingCall, next: (call: OutgoingCall) => unknown) => unknown;
  /** Around a publication. Returns what `next` returns. */
  readonly publish?: (call: OutgoingCall, next: (call: OutgoingCall) => unknown) => unknown;
  /** Around a handler, which runs once. Returns the reply, or what replaces it. */
  readonly receive?: (call: IncomingCall, next: (call: IncomingCall) => unknown) => unknown;
  /** Around a finished turn, before it is encoded. Returns the record to store. */
  readonly commit?: (record: TurnRecord, next: (record: TurnRecord) => TurnRecord) => TurnRecord;
}

/**
 * The onion of one operation; undefined when no interceptor takes part, so that nothing is paid for
 * none.
 */
export function layers<Name extends keyof Interceptor>(
  interceptors: readonly Interceptor[],
  name: Name,
): readonly NonNullable<Interceptor[Name]>[] | undefined {
  const found = interceptors.flatMap((interceptor) => interceptor[name] ?? []);
  return found.length === 0 ? undefined : found;
}

/** Run `core` inside the layers. */
export function throughLayers<Value, Result>(
  wraps: readonly ((value: Value, next: (value: Value) => Result) => Result)[] | undefined,
  value: Value,
  core: (value: Value) => Result,
): Result {
  if (wraps === undefined) return core(value);
  const run = (index: number, current: Value): Result => {
    const wrap = wraps[index];
    return wrap === undefined ? core(current) : wrap(current, (next) => run(index + 1, next));
  };
  return run(0, value);
}

/**
 * Run a handler inside the layers of receive. The turn already has what the first run emitted and
 * sent, so a second one would do it twice. @throws DefinitionError for a second call of `next`
 */
export function throughReceiveLayers(
  wraps: readonly NonNullable<Interceptor["receive"]>[] | undefined,
  call: IncomingCall,
  handle: (call: IncomingCall) => unknown,
): unknown {
  let isCalled = false;
  return throughLayers(wraps, call, (inner) => {
    if (isCalled) {
      throw new DefinitionError(
        "An interceptor of receive calls next twice, but a handler runs once in a turn: throw, and the message is tried again.",
      );
    }
    isCalled = true;
    return handle(inner);
  });
}

/**
 * The record that the interceptors of commit make of it. Only the record that they return counts:
 * changing its events or its reply in place has no effect. @throws DefinitionError for a promise
 */
export function throughCommitLayers(
  wraps: readonly NonNullable<Interceptor["commit"]>[],
  record: TurnRecord,
): TurnRecord {
  const events = Object.freeze(record.events.map(eventHandedOut));
  const reply = handedOut(record.reply);
  const outcome = throughLayers(wraps, { ...record, events, reply }, (inner) => inner);
  if (isThenable(outcome)) {
    ignore(outcome);
    throw new DefinitionError(
      "An interceptor of commit is asynchronous, but the record that it returns is encoded at once.",
    );
  }
  return {
    ...outcome,
    events: outcome.events === events ? record.events : outcome.events,
    reply: outcome.reply === reply ? record.reply : outcome.reply,
  };
}

function eventHandedOut(event: RecordedEvent): RecordedEvent {
  return Object.freeze({ ...event, data: handedOut(event.data) });
}
