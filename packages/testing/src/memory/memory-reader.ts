/**
 * A reader of one source: it hands over inputs while there is credit, a few in one go (LOG-3). It
 * hands over none but those that were asked for.
 */
import { inputBytes, type Input, logChanged } from "@troupe/core/log";
import type { Reader, ReadRequest } from "@troupe/core/log";
import type { Server } from "./server.ts";
import type { Wire } from "./wire.ts";

export class MemoryReader implements Reader {
  readonly #server: Server;
  readonly #wire: Wire;
  readonly #inputs: readonly Input[];
  readonly #onInput: (input: Input) => void;
  readonly #ends: readonly (() => void)[];
  readonly #isWanted: (input: Input) => boolean;
  readonly #onPassed: ReadRequest["onPassed"];
  /** Index of the next input to look at. */
  #next: number;
  #credit: number;
  #creditBytes: number;
  #creditBytesMax: number;
  /** The input that was handed over last, and its index. */
  #last: { readonly input: Input; readonly index: number } | undefined;
  #passed = 0;
  #losses: number;
  readonly #after: number;
  readonly #onLost: ReadRequest["onLost"];
  #scheduled = false;
  #stopped = false;

  constructor(server: Server, wire: Wire, request: ReadRequest) {
    this.#server = server;
    this.#wire = wire;
    this.#inputs = server.storage.inputs(request.source);
    this.#onInput = request.onInput;
    this.#onLost = request.onLost;
    this.#onPassed = request.onPassed;
    this.#isWanted = wantedBy(request);
    this.#after = request.after;
    this.#losses = server.storage.losses;
    this.#next = firstAfter(this.#inputs, request.after);
    this.#credit = request.credit;
    this.#creditBytesMax = request.creditBytes ?? Infinity;
    this.#creditBytes = this.#creditBytesMax;
    const wake = (): void => this.#wake();
    this.#ends = [
      server.storage.watch(request.source, wake),
      server.pauses.add(wake),
      wire.onChange(wake),
      wire.onEnd(() => this.#unwatch()),
    ];
    this.#wake();
  }

  grant(count: number, bytes: number): void {
    this.#credit += count;
    this.#creditBytes += bytes;
    this.#creditBytesMax = Math.max(this.#creditBytesMax, this.#creditBytes);
    this.#wake();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch();
    return this.#wire.state === "crashed"
      ? Promise.withResolvers<void>().promise
      : Promise.resolve();
  }

  #wake(): void {
    if (this.#scheduled || !(this.#ready() || this.#hasPassed())) return;
    this.#scheduled = true;
    this.#server.schedule(() => this.#handOver());
  }

  /** Whether the log has something else where the last input was, or nothing. */
  #isLost(): boolean {
    return this.#last !== undefined && this.#inputs[this.#last.index] !== this.#last.input;
  }

  #lost(): void {
    this.#stopped = true;
    this.#unwatch();
    const { position = 0, acceptedAtMs = 0 } = this.#last?.input ?? {};
    const { storage } = this.#server;
    const mark = { log: storage.end.log, position, storedAtMs: acceptedAtMs };
    this.#onLost?.(logChanged(mark, storage.end));
  }

  #unwatch(): void {
    for (const end of this.#ends) end();
  }

  /** The next input that was asked for; others, and removed ones, are passed over. */
  #nextWanted(): Input | undefined {
    const { storage } = this.#server;
    if (storage.losses !== this.#losses) this.#beginAgain(storage.losses);
    for (; ; this.#next += 1) {
      const next = this.#inputs[this.#next];
      if (next === undefined) return undefined;
      if (this.#isWanted(next) && !storage.isRemoved(next.position)) return next;
    }
  }

  /**
   * Reads again from the last input that was handed over: one that was passed over may be lost, and
   * another may lie there.
   */
  #beginAgain(losses: number): void {
    this.#losses = losses;
    this.#passed = 0;
    const last = this.#last?.index;
    this.#next = last === undefined ? firstAfter(this.#inputs, this.#after) : last + 1;
  }

  /** Whether it can be said that there is nothing more up to the end. */
  #hasPassed(): boolean {
    if (this.#onPassed === undefined || this.#stopped || !this.#wire.reachable) return false;
    return this.#nextWanted() === undefined && this.#server.storage.end.last > this.#passed;
  }

  #ready(): boolean {
    const next = this.#nextWanted();
    if (this.#stopped || this.#credit < 1 || next === undefined) return false;
    const isAllFree = this.#creditBytes >= this.#creditBytesMax;
    if (!isAllFree && inputBytes(next.payload.byteLength) > this.#creditBytes) return false;
    return this.#wire.reachable;
  }

  #handOver(): void {
    this.#scheduled = false;
    const { inputsAtOnceMax } = this.#server.settings;
    for (let handedOver = 0; handedOver < inputsAtOnceMax; handedOver++) {
      // The pause, the stop or the crash may have come since it was scheduled, or with the last
      // input.
      const input = this.#ready() ? this.#inputs[this.#next] : undefined;
      if (input === undefined) return this.#tellPassed();
      if (this.#isLost()) return this.#lost();
      this.#last = { input, index: this.#next };
      this.#next += 1;
      this.#credit -= 1;
      this.#creditBytes -= inputBytes(input.payload.byteLength);
      this.#onInput(input);
    }
    this.#wake();
  }

  #tellPassed(): void {
    if (!this.#hasPassed()) return;
    if (this.#isLost()) return this.#lost();
    this.#passed = this.#server.storage.end.last;
    this.#onPassed?.(this.#passed);
  }
}

function wantedBy({ source, topics, types }: ReadRequest): (input: Input) => boolean {
  if (source === "unroutable" || (topics === undefined && types === undefined)) return () => true;
  const names = { agent: new Set(types), topic: new Set(topics) };
  return ({ address }) => names[address.kind].has(address.name);
}

function firstAfter(inputs: readonly Input[], after: number): number {
  const index = inputs.findIndex((input) => input.position > after);
  return index < 0 ? inputs.length : index;
}
