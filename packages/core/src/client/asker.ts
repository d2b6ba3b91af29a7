/**
 * Asking: a message with a way back.
 *
 *  ASK-1 The ask is an ordinary accepted message (I1); only its reply travels outside the log and
 *        may be lost.
 *  ASK-2 A reply that does not come is looked for in the agent's journal, less and less often,
 *     until the deadline: the turn that answered it is recorded there (I4). So neither a worker's
 *     death nor our own reconnect loses an answer. Asks of one agent look together, and each looks
 *     on where it was (reply-looks.ts).
 *  ASK-3 An agent never waits for itself: the chain of waiting agents travels with the ask (call
 *        cycles, call depth).
 *  ASK-4 The deadline travels with the ask, and an asker that gives up before says so to all
 *     workers, as well as it can: a turn that nobody waits for commits nothing but its failure.
 */
import type { Clock } from "../clock/clock.ts";
import {
  AskCancelledError,
  AskDeadlineError,
  CallCycleError,
  CallDepthError,
} from "../errors/ask-errors.ts";
import { StoppedError, TurnGivenBackError } from "../errors/definition-errors.ts";
import { DeadlinePassedError } from "../errors/message-errors.ts";
import type { ErrorData } from "../errors/troupe-error.ts";
import type { AgentId } from "../definition/message/address.ts";
import { agentName } from "../definition/message/address.ts";
import type { InputDraft, Position } from "../definition/message/input.ts";
import type { AcceptOptions, Log } from "../log/log.ts";
import type { SoughtReply } from "../engine/turn/find-reply.ts";
import { soughtReply } from "../engine/turn/find-reply.ts";
import type { Reply } from "../journal/reply.ts";
import { decodeReply, errorOfFailure } from "../journal/reply.ts";
import { ReplyLooks } from "./reply-looks.ts";
import { requireSameMessage } from "./same-message.ts";
import type { Silence } from "./silence.ts";
import { explainSilence } from "./silence.ts";
import { WorkerWatch } from "./worker-watch.ts";

/** Milliseconds until an ask gives up. */
export const askTimeoutMsDefault = 30_000;

export interface AskRequest {
  readonly agent: AgentId;
  readonly message: string;
  /** The ask without `replyTo`, which the asker adds. */
  readonly draft: InputDraft;
  /** Position of the ask when it is on the log already; then it is only waited for. */
  readonly acceptedAt: Position | undefined;
  readonly fence: AcceptOptions["fence"];
  /** Time to wait, in milliseconds; the callee is told when it is over. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called once the log accepted the ask. */
  readonly onAccepted: (position: Position) => void;
  /** Called instead when it lay there already. */
  readonly onFound: (position: Position) => void;
  /**
   * Called before the ask fails because its own process ended it: by its signal, or by closing the
   * client. The caller that let go of the promise knows that already.
   */
  readonly onGivenUp: () => void;
}

interface Waiter {
  readonly request: AskRequest;
  readonly replyTo: string;
  /** Time at which it gives up, on the clock that never goes back. */
  readonly endsAtMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The reply to look for, once the ask is accepted: its message lies at that position. */
  sought: SoughtReply | undefined;
  /** Between the last look into the journal and the next one. */
  pauseMs: number;
  /** Failure that the agent's worker reported about it. */
  note: ErrorData | undefined;
  /** Reason why nobody answers; found out shortly before it gives up. */
  silence: Promise<void> | Silence | undefined;
  cancelAlarm: () => void;
  forgetSignal: (() => void) | undefined;
}

export class Asker {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Waiter>();
  readonly #watch: WorkerWatch;
  readonly #looks: ReplyLooks;
  readonly #unlisten: () => void;
  #stopped = false;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#watch = new WorkerWatch(log, clock);
    this.#looks = new ReplyLooks(log);
    this.#unlisten = log.onReply((replyTo, payload) => this.#heard(replyTo, payload));
  }

  /**
   * @throws AskDeadlineError, AskCancelledError, Reject, RemoteTurnError, and what the agent
   * answered
   */
  ask(request: AskRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs } = request;
      if (signal?.aborted === true || this.#stopped) {
        request.onGivenUp();
        return reject(this.#stopped ? closed() : cancelled(request));
      }
      const waiter: Waiter = {
        request,
        replyTo: this.#log.replyAddress(),
        endsAtMs: this.#clock.monotonicMs() + timeoutMs,
        resolve,
        reject,
        sought: undefined,
        pauseMs: firstPauseMs,
        note: undefined,
        silence: undefined,
        cancelAlarm: nothing,
        forgetSignal: undefined,
      };
      this.#waiters.set(waiter.replyTo, waiter);
      this.#wake(waiter, firstPauseMs);
      if (signal !== undefined) this.#endWith(waiter, signal);
      this.#accept(waiter);
    });
  }

  /** Fails all asks that still wait. */
  stop(): void {
    this.#stopped = true;
    this.#unlisten();
    for (const replyTo of this.#waiters.keys()) {
      this.#giveUp(replyTo, closed());
    }
  }

  #endWith(waiter: Waiter, signal: AbortSignal): void {
    const { replyTo, request } = waiter;
    const abort = (): void => {
      if (callsBack(signal.reason)) this.#log.cancelAsk(replyTo);
      this.#giveUp(replyTo, cancelled(request));
    };
    signal.addEventListener("abort", abort, { once: true });
    waiter.forgetSignal = () => signal.removeEventListener("abort", abort);
  }

  #accept(waiter: Waiter): void {
    const { replyTo, request } = waiter;
    const { acceptedAt, draft, fence, onAccepted, signal, timeoutMs } = request;
    if (acceptedAt !== undefined) {
      waiter.sought = soughtReply(acceptedAt);
      request.onFound(acceptedAt);
      return this.#wake(waiter, 0);
    }
    const deadlineMs = this.#log.nowMs() + timeoutMs;
    const metadata = { ...draft.metadata, replyTo, deadlineMs };
    const accepting = this.#log.accept({ ...draft, metadata }, { signal, fence });
    const fail = (thrown: unknown): void => this.#fail(replyTo, thrown);
    accepting.then(({ duplicate, position }) => {
      if (!duplicate) {
        waiter.sought = soughtReply(position);
        return onAccepted(position);
      }
      // A repeated ask has perhaps been answered long ago, to somebody who is gone.
      const host = { log: this.#log, clock: this.#clock, signal };
      requireSameMessage(host, draft, position).then(() => {
        waiter.sought = soughtReply(position);
        onAccepted(position);
        this.#wake(waiter, 0);
      }, fail);
    }, fail);
  }

  /**
   * Sets the waiter's alarm, which serves both: it looks into the journal, and gives up in the end.
   */
  #wake(waiter: Waiter, delayMs: number): void {
    if (!this.#waiters.has(waiter.replyTo)) return;
    waiter.cancelAlarm();
    const leftMs = waiter.endsAtMs - this.#clock.monotonicMs();
    // The last moments are for finding out why nobody answers.
    const spareMs = waiter.silence === undefined ? explainingMs(waiter.request) : 0;
    const delay = Math.max(0, Math.min(delayMs, leftMs - spareMs));
    waiter.cancelAlarm = this.#clock.after(delay, () => this.#look(waiter));
  }

  #look(waiter: Waiter): void {
    const { endsAtMs, replyTo, request, sought } = waiter;
    const leftMs = endsAtMs - this.#clock.monotonicMs();
    if (leftMs <= 0) return this.#fail(replyTo, late(waiter));
    if (waiter.silence === undefined && leftMs <= explainingMs(request)) this.#explain(waiter);
    this.#watch.begin(replyTo);
    if (sought === undefined) return this.#wake(waiter, firstPauseMs);
    // Only the end can wake it while it looks.
    this.#wake(waiter, Infinity);
    const lookLater = (): void => {
      waiter.pauseMs = Math.min(waiter.pauseMs * 2, pauseMsMax);
      this.#wake(waiter, waiter.pauseMs);
    };
    this.#looks.look(request.agent, sought).then((reply) => {
      if (reply === undefined) lookLater();
      else this.#settle(replyTo, reply);
    }, lookLater);
  }

  #explain(waiter: Waiter): void {
    const { note, request, sought } = waiter;
    const ask = { agent: request.agent, note, position: sought?.position };
    waiter.silence = explainSilence(this.#log, this.#watch, ask).then(
      (silence) => {
        waiter.silence = silence;
      },
      // It is only an explanation.
      () => undefined,
    );
  }

  #heard(replyTo: string, payload: Uint8Array): void {
    if (!this.#waiters.has(replyTo)) return;
    try {
      this.#settle(replyTo, decodeReply(payload));
    } catch (thrown) {
      this.#fail(replyTo, thrown);
    }
  }

  #settle(replyTo: string, reply: Reply): void {
    if (reply.note !== undefined) return this.#noted(replyTo, reply.note);
    if (reply.failure !== undefined) return this.#fail(replyTo, errorOfFailure(reply.failure));
    this.#remove(replyTo)?.resolve(reply.value);
  }

  #noted(replyTo: string, note: ErrorData): void {
    const waiter = this.#waiters.get(replyTo);
    if (waiter !== undefined) waiter.note = note;
  }

  #fail(replyTo: string, error: unknown): void {
    this.#remove(replyTo)?.reject(error);
  }

  #giveUp(replyTo: string, error: unknown): void {
    this.#waiters.get(replyTo)?.request.onGivenUp();
    this.#fail(replyTo, error);
  }

  #remove(replyTo: string): Waiter | undefined {
    const waiter = this.#waiters.get(replyTo);
    if (waiter === undefined) return undefined;
    this.#waiters.delete(replyTo);
    this.#watch.end(replyTo);
    waiter.cancelAlarm();
    waiter.forgetSignal?.();
    return waiter;
  }
}

function nothing(): void {
  // No alarm is set yet.
}

const firstPauseMs = 1000;
const pauseMsMax = 10_000;
const explainingMsMax = 250;

/** @throws CallCycleError, CallDepthError */
export function checkCallers(callers: readonly string[], agent: AgentId, depthMax: number): void {
  const name = agentName(agent);
  if (callers.includes(name)) {
    throw new CallCycleError(
      `${[...callers, name].join(" asks ")}: ${name} would wait for itself. Use send for one of these.`,
      { details: { callers, agent: name } },
    );
  }
  if (callers.length > depthMax) {
    throw new CallDepthError(
      `${[...callers, name].join(" asks ")}: more than ${depthMax} nested asks.`,
      { details: { callers, agent: name, depthMax } },
    );
  }
}

/** Time before its end at which an ask is looked into, in milliseconds. */
function explainingMs({ timeoutMs }: AskRequest): number {
  return Math.min(explainingMsMax, timeoutMs / 4);
}

function late({ request, silence, sought }: Waiter): AskDeadlineError {
  const { agent, message } = request;
  const name = agentName(agent);
  const known = silence === undefined || silence instanceof Promise ? undefined : silence;
  const why = known === undefined ? "" : `: ${known.text}`;
  return new AskDeadlineError(
    `${name} did not answer ${message} before the deadline${why}. What is not done by now is not kept: look with "troupe inspect ${name}".`,
    { details: { agent: name, message, position: sought?.position, why: known?.why ?? "unknown" } },
  );
}

/**
 * Whether the callee has to hear that nobody waits any more. A deadline reaches it by itself, and a
 * turn that was given back to the log waits for the same ask when it runs again.
 */
function callsBack(reason: unknown): boolean {
  return !(reason instanceof DeadlinePassedError || reason instanceof TurnGivenBackError);
}

function closed(): StoppedError {
  return new StoppedError("The client was closed while an ask waited.");
}

function cancelled({ agent, message, signal }: AskRequest): AskCancelledError {
  const name = agentName(agent);
  return new AskCancelledError(`Asking ${name} for ${message} was cancelled by the caller.`, {
    details: { agent: name, message },
    cause: signal?.reason as unknown,
  });
}
