/**
 * A model behind a socket, which sees from outside who is with it: a process that is killed leaves
 * at once, as its connections are closed.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class ModelService implements AsyncDisposable {
  /** Times at which the calls came, in milliseconds of this process's steady clock. */
  readonly calls: number[] = [];
  openMax = 0;
  /** Calls wait for `release`. */
  isHolding = false;
  readonly #server: Server;
  /** Calls that have no answer yet, with the process they are of. */
  readonly #open = new Map<Socket, number>();
  #changed = Promise.withResolvers<void>();

  private constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(): Promise<ModelService> {
    const service = new ModelService();
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Number of a process's calls that are open. */
  openOf(pid: number): number {
    return [...this.#open.values()].filter((caller) => caller === pid).length;
  }

  /** Resolves when so many of these processes together are with it, and none of others. */
  async has(open: number, pids: readonly number[]): Promise<void> {
    const ofThese = (): number => pids.reduce((sum, pid) => sum + this.openOf(pid), 0);
    while (this.open !== open || ofThese() !== open) await this.#changed.promise;
  }

  /** Answers every call, and from now on at once. */
  release(): void {
    this.isHolding = false;
    for (const socket of this.#open.keys()) this.#answer(socket);
  }

  /** The most calls that came within any such time. */
  most(withinMs: number): number {
    let first = 0;
    return this.calls.reduce((most, atMs, index) => {
      while (atMs - (this.calls[first] ?? 0) >= withinMs) first += 1;
      return Math.max(most, index - first + 1);
    }, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.calls.push(performance.now());
    this.#open.set(socket, 0);
    this.openMax = Math.max(this.openMax, this.open);
    this.#tell();
    // A caller that is killed resets its connection; the close says all there is to know.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (this.#open.delete(socket)) this.#tell();
    });
    socket.on("data", (pid) => {
      if (!this.#open.has(socket)) return;
      this.#open.set(socket, Number(pid.toString()));
      this.#tell();
    });
    // Not within the same moment, so that those who come at once are there at once.
    if (!this.isHolding) setImmediate(() => this.#answer(socket));
  }

  /** From now on its caller may be with somebody else. */
  #answer(socket: Socket): void {
    socket.end("done");
    this.#open.delete(socket);
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
