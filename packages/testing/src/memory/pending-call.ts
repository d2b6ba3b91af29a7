/**
 * A call under way: settled at most once, by its answer, its signal or the end of its connection.
 */
import { unavailable } from "./server.ts";

export interface PendingCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Wait for the end of a pause whatever the pause says. The work may then be done twice. */
  readonly patient?: boolean;
}

/** A call whatever its result is. */
export interface Call {
  readonly name: string;
  readonly patient: boolean;
  readonly settled: boolean;
  /** Do the work in the server; returns what brings the answer back. */
  serve(): () => void;
  fail(reason: unknown): void;
  failUnavailable(): void;
}

export class PendingCall<T> implements Call {
  readonly name: string;
  readonly patient: boolean;
  readonly promise: Promise<T>;
  readonly #work: () => T;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.fail(unavailable(this.name, this.#signal?.reason));
  #settled = false;

  constructor(name: string, work: () => T, options: PendingCallOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.name = name;
    this.patient = options.patient ?? false;
    this.promise = promise;
    this.#work = work;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = options.signal;
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener("abort", this.#onAbort);
  }

  get settled(): boolean {
    return this.#settled;
  }

  serve(): () => void {
    try {
      const value = this.#work();
      return () => this.#settle(() => this.#resolve(value));
    } catch (error) {
      return () => this.fail(error);
    }
  }

  fail(reason: unknown): void {
    this.#settle(() => this.#reject(reason));
  }

  failUnavailable(): void {
    this.fail(unavailable(this.name));
  }

  #settle(finish: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    finish();
  }
}
