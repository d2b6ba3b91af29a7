/**
 * Asking: a message with a way back.
 *
 *  A1 The ask is an ordinary accepted message (I1); only its reply travels outside the log and may be lost.
 *  A2 A reply that does not come is looked for in the agent's journal, less and less often, until the deadline: the turn
 *     that answered it is recorded there (I4). So neither a worker's death nor our own reconnect loses an answer.
 *  A3 An agent never waits for itself: the chain of waiting agents travels with the ask (call cycles, call depth).
 *  A4 The deadline travels with the ask, and whoever gives up before says so to all workers, as well as it can: a turn
 *     that nobody waits for commits nothing but its failure.
 */
import type { Clock } from "../clock/clock.ts";
import {
  AskCancelledError,
  AskDeadlineError,
  CallCycleError,
  CallDepthError,
} from "../errors/ask-errors.ts";
import { StoppedError } from "../errors/definition-errors.ts";
import { DeadlinePassedError } from "../errors/message-errors.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { InputDraft, Position } from "../log/input.ts";
import type { Log } from "../log/log.ts";
import { findReply } from "../turn/find-reply.ts";
import type { Reply } from "../turn/reply.ts";
import { decodeReply, errorOfFailure } from "../turn/reply.ts";

/** Milliseconds until an ask gives up. */
export const askTimeoutMsDefault = 30_000;

export interface AskRequest {
  readonly agent: AgentId;
  readonly message: string;
  /** Without `replyTo`, which the asker adds. */
  readonly draft: InputDraft;
  /** How long to wait, in milliseconds; the callee is told when that is over. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Called once the log accepted the ask. */
  readonly onAccepted: (position: Position) => void;
}

interface Waiter {
  readonly agent: AgentId;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly cancels: (() => void)[];
}

export class Asker {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Waiter>();
  readonly #unlisten: () => void;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#unlisten = log.onReply((replyTo, payload) => this.#heard(replyTo, payload));
  }

  /**
   * @throws AskDeadlineError, AskCancelledError, Reject, RemoteTurnError, and what the agent
   * answered
   */
  ask(request: AskRequest): Promise<unknown> {
    const replyTo = this.#log.replyAddress();
    const { agent, signal } = request;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(cancelled(request));
      const cancels: (() => void)[] = [];
      this.#waiters.set(replyTo, { agent, resolve, reject, cancels });
      const deadlineMs = this.#clock.now() + request.timeoutMs;
      cancels.push(this.#clock.after(request.timeoutMs, () => this.#fail(replyTo, late(request))));
      if (signal !== undefined) {
        const abort = (): void => {
          // A deadline reaches who is asked by itself, and is told there as what it is.
          if (!(signal.reason instanceof DeadlinePassedError)) this.#log.cancelAsk(replyTo);
          this.#fail(replyTo, cancelled(request));
        };
        signal.addEventListener("abort", abort, { once: true });
        cancels.push(() => signal.removeEventListener("abort", abort));
      }
      this.#accept(replyTo, request, deadlineMs).catch((thrown: unknown) =>
        this.#fail(replyTo, thrown),
      );
    });
  }

  /** Everything that still waits fails. */
  stop(): void {
    this.#unlisten();
    for (const replyTo of this.#waiters.keys()) {
      this.#fail(replyTo, new StoppedError("The client was closed while an ask waited."));
    }
  }

  async #accept(
    replyTo: string,
    { draft, signal, onAccepted }: AskRequest,
    deadlineMs: number,
  ): Promise<void> {
    const metadata = { ...draft.metadata, replyTo, deadlineMs };
    const accepted = await this.#log.accept({ ...draft, metadata }, { signal });
    onAccepted(accepted.position);
    // A repeated ask has perhaps been answered long ago, to somebody who is gone.
    this.#searchLater(replyTo, accepted.position, accepted.duplicate ? 0 : firstSearchMs);
  }

  #searchLater(replyTo: string, position: Position, delayMs: number): void {
    const waiter = this.#waiters.get(replyTo);
    if (waiter === undefined) return;
    const search = (): void => {
      findReply(this.#log, waiter.agent, position)
        .then((reply) => {
          if (reply === undefined) this.#searchLater(replyTo, position, nextSearchMs(delayMs));
          else this.#settle(replyTo, reply);
        })
        .catch(() => this.#searchLater(replyTo, position, nextSearchMs(delayMs)));
    };
    waiter.cancels.push(this.#clock.after(delayMs, search));
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
    if (reply.failure !== undefined) return this.#fail(replyTo, errorOfFailure(reply.failure));
    this.#remove(replyTo)?.resolve(reply.value);
  }

  #fail(replyTo: string, error: unknown): void {
    this.#remove(replyTo)?.reject(error);
  }

  #remove(replyTo: string): Waiter | undefined {
    const waiter = this.#waiters.get(replyTo);
    this.#waiters.delete(replyTo);
    for (const cancel of waiter?.cancels ?? []) cancel();
    return waiter;
  }
}

const firstSearchMs = 1000;
const searchMsMax = 10_000;

function nextSearchMs(delayMs: number): number {
  return Math.min(Math.max(delayMs, firstSearchMs / 2) * 2, searchMsMax);
}

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

function late({ agent, message }: AskRequest): AskDeadlineError {
  const name = agentName(agent);
  return new AskDeadlineError(
    `${name} did not answer ${message} before the deadline. What is not done by now is not kept: look with "troupe inspect ${name}".`,
    { details: { agent: name, message } },
  );
}

function cancelled({ agent, message, signal }: AskRequest): AskCancelledError {
  const name = agentName(agent);
  return new AskCancelledError(`Asking ${name} for ${message} was cancelled by the caller.`, {
    details: { agent: name, message },
    cause: signal?.reason as unknown,
  });
}
