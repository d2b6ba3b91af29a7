/**
 * The way between one connection and the server: calls with answers, messages without, and the end
 * of both.
 *
 *  WIRE-1 Messages of a connection arrive in the order they were sent; so do those that it
 *         receives.
 *  WIRE-2 A call is settled at most once: by its answer, its signal or the end of the connection.
 *  WIRE-3 After a crash nothing more passes in either direction, so no answer ever settles a call.
 *  WIRE-4 During a pause calls do not reach the server. A patient call waits for the end of the
 *     pause, others do what the pause says. A pause in which calls fail also loses the answers on
 *     their way; a patient call is then made again, so its work must be safe to repeat.
 *  WIRE-5 A connection that is cut off alone is for its calls and readers as if the broker paused.
 *  WIRE-6 While its process stands still, nothing comes in; messages it had sent arrive.
 *  WIRE-7 A log loses something only with the server that had it, and with its connections: calls
 *     that waited for one of these end without an answer, patient ones are made again.
 */
import { LogClosedError } from "@troupe/core/errors";
import { Channel } from "./channel.ts";
import { Listeners } from "./listeners.ts";
import { type Call, PendingCall, type PendingCallOptions } from "./pending-call.ts";
import type { PausedCalls, Server } from "./server.ts";

export type WireState = "open" | "closed" | "crashed";

export class Wire {
  readonly #server: Server;
  readonly #up: Channel;
  readonly #down: Channel;
  readonly #ends = new Listeners<[]>();
  readonly #changes = new Listeners<[]>();
  #held: Call[] = [];
  #cutOff: PausedCalls | undefined;
  #standing = false;
  #state: WireState = "open";

  constructor(server: Server) {
    this.#server = server;
    this.#up = new Channel(server.schedule);
    this.#down = new Channel(server.schedule);
    this.onEnd(server.losses.add(() => this.#loseHeld()));
  }

  get state(): WireState {
    return this.#state;
  }

  /**
   * Effect on calls of a pause of the broker, or of being cut off alone; undefined when neither is.
   */
  get paused(): PausedCalls | undefined {
    const { paused } = this.#server;
    // A call to a server that is away ends with its connection, whatever else is in between.
    return paused === "fail" ? paused : (this.#cutOff ?? paused);
  }

  /** Whether readers may hand something over. */
  get reachable(): boolean {
    return this.paused === undefined && this.#state === "open" && !this.#standing;
  }

  /** Cut off from the log, or not any more. */
  cutOff(calls: PausedCalls | undefined): void {
    this.#cutOff = calls;
    if (calls !== undefined) return;
    this.resume();
    this.#changes.tell();
  }

  /** The process stands still, or goes on. */
  stand(still: boolean): void {
    this.#standing = still;
    if (still) return this.#down.hold();
    this.#down.letGo();
    this.#changes.tell();
  }

  /** Called when it may be reachable again. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  /** Do `work` in the server; resolves with its result, or rejects with what it throws. */
  call<T>(name: string, work: () => T, options: PendingCallOptions = {}): Promise<T> {
    if (this.#state === "crashed") return Promise.withResolvers<T>().promise;
    if (this.#state === "closed") return Promise.reject(closed(name));
    const call = new PendingCall(name, work, options);
    this.#transmit(call);
    return call.promise;
  }

  /** Do `work` in the server some time, unless the connection crashes before. */
  send(work: () => void): void {
    if (this.#state === "open") this.#up.push(work);
  }

  /** The server's way to do `work` in this connection's process. */
  deliver(work: () => void): void {
    this.#down.push(work);
  }

  /** Calls that a pause held back go to the server now, in their order. */
  resume(): void {
    const held = this.#held;
    this.#held = [];
    for (const call of held) this.#transmit(call);
  }

  /**
   * Let everything sent so far arrive and be answered, except that a call which waits for the end
   * of a pause is refused. Resolves when all that is done.
   */
  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#state === "open") this.#end("closed");
    // Pushed last, so the answers to all calls come first (WIRE-1).
    this.#up.push(() => this.#down.push(resolve));
    return promise;
  }

  crash(): void {
    if (this.#state !== "open") return;
    this.#up.cut();
    this.#down.cut();
    this.#end("crashed");
  }

  /** Called once when the connection closes or crashes. Returns the function that ends it. */
  onEnd(listener: () => void): () => void {
    return this.#ends.add(listener);
  }

  #transmit(call: Call): void {
    this.#up.push(() => {
      if (call.settled || this.#isPaused(call)) return;
      const answer = call.serve();
      this.#down.push(() => {
        const isLost = this.paused === "fail" && this.#isPaused(call);
        if (!isLost) answer();
      });
    });
  }

  /** Whether a pause stops the call, which then waits or fails. */
  #isPaused(call: Call): boolean {
    const { paused } = this;
    if (paused === undefined) return false;
    if (this.#state === "closed") call.fail(closed(call.name));
    else if (call.patient || paused === "wait") this.#held.push(call);
    else call.failUnavailable();
    return true;
  }

  #loseHeld(): void {
    const held = this.#held;
    this.#held = held.filter(({ patient }) => patient);
    for (const call of held) if (!call.patient) call.failUnavailable();
  }

  #end(state: "closed" | "crashed"): void {
    this.#state = state;
    if (state === "closed") for (const call of this.#held) call.fail(closed(call.name));
    this.#held = [];
    this.#ends.tell();
  }
}

export function closed(call: string): LogClosedError {
  return new LogClosedError(`The log was closed: ${call} is not possible any more.`, {
    details: { call },
  });
}
