/**
 * A program of its own: a script forked into a real process, which can be asked, paused and killed.
 *
 * Every program is ended by its process id, at the latest by `await using`. A program whose parent
 * is gone ends by itself (see `tally/tally-worker.ts`).
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Notice from a program to its parent. */
export type Notice = { readonly kind: string } & Readonly<Record<string, unknown>>;

export class Program implements AsyncDisposable {
  /** Notices so far, in order. */
  readonly notices: Notice[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #errors = "";

  private constructor(script: URL, settings: unknown) {
    this.#child = fork(script, [JSON.stringify(settings)], {
      execArgv: ["--conditions=troupe-source"],
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#exited = once(this.#child, "exit");
    this.#child.on("message", (notice) => this.notices.push(notice as Notice));
    this.#child.stderr?.on("data", (text: Buffer) => (this.#errors += text.toString()));
  }

  /** Start a script; resolves when it says that it is ready. */
  static async start(script: URL, settings: unknown): Promise<Program> {
    const program = new Program(script, settings);
    try {
      await program.said("ready");
      return program;
    } catch (thrown) {
      await program.kill();
      throw thrown;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with the first notice of this kind, also one that came before. */
  async said(kind: string): Promise<Notice> {
    for (;;) {
      const found = this.notices.find((notice) => notice.kind === kind);
      if (found !== undefined) return found;
      await this.#next(`it said "${kind}"`);
    }
  }

  /** Ask it something; resolves with its answer. */
  async ask(question: string): Promise<unknown> {
    const from = this.notices.length;
    this.#child.send(question);
    for (;;) {
      const answer = this.notices.slice(from).find(({ kind }) => kind === `answer ${question}`);
      if (answer !== undefined) return answer["answer"];
      await this.#next(`it answered "${question}"`);
    }
  }

  /** Tell it something, without an answer. */
  tell(word: string): void {
    this.#child.send(word);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM; resolves when the process is gone. @throws Error unless it ended well */
  stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    return this.ended();
  }

  /** Resolves when the process is gone. @throws Error unless it ended well */
  async ended(): Promise<void> {
    await this.#exited;
    if (this.#child.exitCode !== 0) throw new Error(`The program ended badly: ${this.#how()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }

  async #next(what: string): Promise<void> {
    const ended = new AbortController();
    const exit = this.#exited.then(() => {
      if (!ended.signal.aborted)
        throw new Error(`The program ended before ${what}: ${this.#how()}`);
    });
    await Promise.race([once(this.#child, "message", { signal: ended.signal }), exit]).finally(() =>
      ended.abort(),
    );
  }

  #how(): string {
    return `${this.#child.signalCode ?? `exit code ${this.#child.exitCode}`}. ${this.#errors}`;
  }
}
