/**
 * Worker processes that are killed, paused and replaced, as under a supervisor.
 *
 * Every process is ended by its own handle. A worker that ends without being told to counts as a
 * crash and is replaced as well.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { Program } from "../e2e/program.ts";
import { oneOf, type Random } from "./seeded-random.ts";

export interface WorkerPoolOptions {
  readonly size: number;
  /** @param generation of the code: one more after each upgrade */
  readonly start: (id: string, generation: number) => Promise<Program>;
}

export class WorkerPool implements AsyncDisposable {
  kills = 0;
  pauses = 0;
  upgrades = 0;
  /** Generation of the code that new workers run. */
  generation = 1;
  /** Output of workers that ended without being told to, or did not even start. */
  readonly crashes: string[] = [];
  readonly #options: WorkerPoolOptions;
  readonly #ready = new Set<Program>();
  readonly #paused = new Set<Program>();
  readonly #starting = new Set<Promise<void>>();
  /** Ready workers that run older code than new ones do. */
  readonly #outdated = new Set<Program>();
  #onNewest: (() => void) | undefined;
  #lastId = 0;
  #stopped = false;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves when all are ready. */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    for (let i = 0; i < options.size; i++) pool.#add();
    await pool.settled();
    return pool;
  }

  get size(): number {
    return this.#ready.size;
  }

  /** SIGKILL for one, or now and then for all at once. */
  async kill(random: Random): Promise<void> {
    await this.#untilReady();
    const all = random() < blackoutShare;
    const victims = all ? [...this.#ready] : [oneOf(random, [...this.#ready])];
    await Promise.all(victims.map((victim) => this.#killOne(victim)));
  }

  /** SIGSTOP for one, and SIGCONT later unless it was killed meanwhile. */
  async pause(random: Random, forMs: number): Promise<void> {
    await this.#untilReady();
    const running = [...this.#ready].filter((program) => !this.#paused.has(program));
    const victim = oneOf(random, running);
    if (victim === undefined) return;
    this.pauses += 1;
    this.#paused.add(victim);
    victim.signal("SIGSTOP");
    await sleep(forMs);
    this.#paused.delete(victim);
    if (this.#ready.has(victim)) victim.signal("SIGCONT");
  }

  /**
   * Upgrades all workers under load: one after the other is told to stop and replaced by one with
   * newer code, and a worker that is killed meanwhile is replaced by newer code, too. `onFirst` is
   * called when the first worker with newer code is ready, whomever it replaces.
   */
  async upgrade(onFirst: () => void): Promise<void> {
    this.generation += 1;
    this.#onNewest = onFirst;
    for (const program of this.#ready) this.#outdated.add(program);
    do {
      const [victim] = this.#outdated;
      await this.#untilReady();
      // Who was killed or crashed meanwhile has been replaced already.
      if (victim !== undefined && this.#outdated.has(victim)) await this.#replace(victim);
      await this.settled();
    } while (this.#outdated.size > 0 || this.#onNewest !== undefined);
  }

  async #replace(victim: Program): Promise<void> {
    this.upgrades += 1;
    this.#forget(victim);
    await this.#stopOne(victim);
    this.#add();
  }

  /** Resolves when every replacement is ready. */
  async settled(): Promise<void> {
    while (this.#starting.size > 0) await Promise.all(this.#starting);
  }

  /** SIGTERM for all; SIGKILL for whom that takes too long. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.settled();
    const programs = [...this.#ready];
    this.#ready.clear();
    await Promise.all(programs.map((program) => this.#stopOne(program)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.settled();
    const programs = [...this.#ready];
    this.#ready.clear();
    await Promise.all(programs.map((program) => program.kill()));
  }

  #add(): void {
    const starting = this.#startOne().finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  /** As a supervisor does, it tries again when a worker does not come up. */
  async #startOne(): Promise<void> {
    for (let attempt = 1; attempt <= startAttemptsMax && !this.#stopped; attempt++) {
      this.#lastId += 1;
      try {
        const { generation } = this;
        const program = await this.#options.start(`worker-${this.#lastId}`, generation);
        this.#isReady(program, generation);
        void program
          .ended()
          .catch(String)
          .then((how) => this.#ended(program, how ?? ""));
        return;
      } catch (thrown) {
        // While the broker does not answer none comes up; the last attempt is long after that.
        if (attempt === startAttemptsMax) {
          this.crashes.push(`a worker did not start: ${String(thrown)}`);
        }
      }
    }
  }

  #isReady(program: Program, generation: number): void {
    this.#ready.add(program);
    if (generation < this.generation) this.#outdated.add(program);
    else {
      this.#onNewest?.();
      this.#onNewest = undefined;
    }
  }

  /** Counts a program no more. False when it did not count any more before. */
  #forget(program: Program): boolean {
    this.#outdated.delete(program);
    return this.#ready.delete(program);
  }

  #ended(program: Program, how: string): void {
    if (!this.#forget(program)) return;
    this.crashes.push(`a worker ended by itself: ${how}`);
    if (!this.#stopped) this.#add();
  }

  async #killOne(victim: Program | undefined): Promise<void> {
    if (victim === undefined || !this.#forget(victim)) return;
    this.kills += 1;
    await victim.kill();
    this.#add();
  }

  async #stopOne(program: Program): Promise<void> {
    program.signal("SIGCONT");
    const late = new AbortController();
    const tooLate = sleep(stopTimeoutMs, "late", { signal: late.signal }).catch(() => "");
    const stopping = program.stop().then(
      () => "",
      (thrown: unknown) => String(thrown),
    );
    const how = await Promise.race([stopping, tooLate]);
    late.abort();
    if (how !== "") this.crashes.push(`a worker did not stop well: ${how}`);
    if (how === "late") await program.kill();
  }

  /** A kill is worth more while another worker is there to take over. */
  async #untilReady(): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs;
    while (this.#ready.size < Math.min(2, this.#options.size)) {
      if (performance.now() > deadline) throw new Error("The workers do not come back.");
      await sleep(readyPollMs);
    }
  }
}

const blackoutShare = 0.08;
const startAttemptsMax = 5;
const stopTimeoutMs = 20_000;
const readyTimeoutMs = 60_000;
const readyPollMs = 25;
