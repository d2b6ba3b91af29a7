/** One reader of one source: it hands over inputs while there is credit, a few in one go (L3). */
import { inputBytes, type Input } from "../../log/input.ts";
import type { Reader, ReadRequest } from "../../log/log.ts";
import { logChanged } from "../../log/mark.ts";
import type { Server } from "./server.ts";
import type { Wire } from "./wire.ts";

export class MemoryReader implements Reader {
  readonly #server: Server;
  readonly #wire: Wire;
  readonly #inputs: readonly Input[];
  readonly #onInput: (input: Input) => void;
  readonly #ends: readonly (() => void)[];
  /** Index of the next input to hand over. */
  #next: number;
  #credit: number;
  #creditBytes: number;
  #creditBytesMax: number;
  /** What was handed over last. */
  #last: Input | undefined;
  readonly #onLost: ReadRequest["onLost"];
  #scheduled = false;
  #stopped = false;

  constructor(server: Server, wire: Wire, request: ReadRequest) {
    this.#server = server;
    this.#wire = wire;
    this.#inputs = server.storage.inputs(request.source);
    this.#onInput = request.onInput;
    this.#onLost = request.onLost;
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
    if (this.#scheduled || !this.#ready()) return;
    this.#scheduled = true;
    this.#server.schedule(() => this.#handOver());
  }

  /** Whether the log has something else where the last input was, or nothing. */
  #isLost(): boolean {
    return this.#last !== undefined && this.#inputs[this.#next - 1] !== this.#last;
  }

  #lost(): void {
    this.#stopped = true;
    this.#unwatch();
    const { position = 0, acceptedAtMs = 0 } = this.#last ?? {};
    const { storage } = this.#server;
    const mark = { log: storage.end.log, position, storedAtMs: acceptedAtMs };
    this.#onLost?.(logChanged(mark, storage.end));
  }

  #unwatch(): void {
    for (const end of this.#ends) end();
  }

  #ready(): boolean {
    this.#skipRemoved();
    const next = this.#inputs[this.#next];
    if (this.#stopped || this.#credit < 1 || next === undefined) return false;
    const isAllFree = this.#creditBytes >= this.#creditBytesMax;
    if (!isAllFree && inputBytes(next.payload.byteLength) > this.#creditBytes) return false;
    return this.#wire.reachable;
  }

  #skipRemoved(): void {
    for (let next = this.#inputs[this.#next]; next !== undefined; next = this.#inputs[this.#next]) {
      if (this.#isLost() || !this.#server.storage.isRemoved(next.position)) return;
      this.#last = next;
      this.#next += 1;
    }
  }

  #handOver(): void {
    this.#scheduled = false;
    const { inputsAtOnceMax } = this.#server.settings;
    for (let handedOver = 0; handedOver < inputsAtOnceMax; handedOver++) {
      // The pause, the stop or the crash may have come since it was scheduled, or with the last
      // input.
      const input = this.#ready() ? this.#inputs[this.#next] : undefined;
      if (input === undefined) return;
      if (this.#isLost()) return this.#lost();
      this.#next += 1;
      this.#last = input;
      this.#credit -= 1;
      this.#creditBytes -= inputBytes(input.payload.byteLength);
      this.#onInput(input);
    }
    this.#wake();
  }
}

function firstAfter(inputs: readonly Input[], after: number): number {
  const index = inputs.findIndex((input) => input.position > after);
  return index < 0 ? inputs.length : index;
}
