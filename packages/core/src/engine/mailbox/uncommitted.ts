/**
 * The finished turns of one agent that are not in its journal yet, in order: some are on their way
 * to the log, the others are ready for the next commit. Nothing of an agent is on its way beside
 * something else of it (COMMIT-1).
 */
import type { LogLimits } from "../../log/log-limits.ts";
import { messagesOf } from "../turn/turn-size.ts";
import type { Turn } from "../turn/turn.ts";
import { encodeBaseRecord } from "../../journal/base-record.ts";
import type { AgentState } from "../turn/agent-state.ts";
import { endOf } from "../turn/agent-state.ts";
import type { MailboxHost } from "./mailbox-host.ts";
import type { Committing } from "../commit/committing.ts";

interface CommittedMailbox extends Committing {
  readonly name: string;
  /** Something may go on. */
  arrived(): void;
}

export class Uncommitted {
  readonly #mailbox: CommittedMailbox;
  readonly #committer: MailboxHost["committer"];
  #ready: Turn[] = [];
  #committing: readonly Turn[] = nothing;
  /** Number of the next turns that commit one by one, to find the one that the log refuses. */
  #solo = 0;
  /** True while an entry that is no turn is on its way. */
  #occupied = false;
  /** Number of entries that wait to be stored between turns before more of them run. */
  #aside = 0;
  /** Actions that wait until nothing is left to be committed. */
  #settled: readonly (() => void)[] = nothing;

  /** @param committer is asked for a `take` soon */
  constructor(mailbox: CommittedMailbox, committer: MailboxHost["committer"]) {
    this.#mailbox = mailbox;
    this.#committer = committer;
  }

  get count(): number {
    return this.#ready.length + this.#committing.length;
  }

  /** No turn may run ahead of what is there now. */
  isFull(max: number): boolean {
    return this.count >= max || this.#aside > 0;
  }

  /** @param after what the agent is then */
  add(turn: Turn, after: AgentState): void {
    if (turn.ends !== undefined) {
      turn.end = encodeBaseRecord(endOf(turn, after), this.#mailbox.name, Infinity);
    }
    this.#ready.push(turn);
    this.#committer.schedule(this.#mailbox);
  }

  /** The turns to commit next, empty while others are on their way. */
  take(limits: LogLimits): readonly Turn[] {
    if (this.#occupied || this.#committing.length > 0 || this.#ready.length === 0) return [];
    const count = this.#solo > 0 ? 1 : this.#countToChain(limits);
    this.#committing = this.#ready;
    this.#ready = this.#ready.splice(count);
    return this.#committing;
  }

  /**
   * Number of turns that leave together: those that fit, or one alone where that is cheaper
   * (COMMIT-2).
   */
  #countToChain({ chainMin, commitMessagesMax }: LogLimits): number {
    let messages = 0;
    let count = 0;
    for (const turn of this.#ready) {
      messages += messagesOf(turn);
      if (count > 0 && messages > commitMessagesMax) break;
      count += 1;
    }
    const onlyRecords = messages === count;
    return onlyRecords && count < chainMin ? 1 : count;
  }

  /** The log stored what `take` gave: these turns. Call `proceed` when they are dealt with. */
  stored(): readonly Turn[] {
    const turns = this.#committing;
    this.#committing = nothing;
    this.#solo = Math.max(0, this.#solo - turns.length);
    return turns;
  }

  /** The line has moved on: the next ones may leave, or those who wait for its end go on. */
  proceed(): void {
    if (this.#ready.length > 0) this.#committer.schedule(this.#mailbox);
    else this.#tellSettled();
  }

  /**
   * The log will never store one of the turns that are on their way. Returns it when there is only
   * one; otherwise they commit one by one the next time, to find it.
   */
  refused(): Turn | undefined {
    if (this.#committing.length <= 1) return this.#committing[0];
    this.#solo = this.#committing.length;
    return undefined;
  }

  /** Give all of them up, in order. Call `proceed` when they are dealt with. */
  withdraw(): readonly Turn[] {
    const turns = [...this.#committing, ...this.#ready];
    this.#committing = nothing;
    this.#ready = [];
    return turns;
  }

  /** Drops the turns that are not on their way yet: they never will be. */
  dropReady(): void {
    this.#ready = [];
  }

  /** Store something between turns: behind all that are ready now, and one at a time. */
  async between<Result>(store: () => Promise<Result>): Promise<Result> {
    // Several may wait for this: the first one occupies the line before the next one looks.
    while (this.#occupied || this.count > 0) {
      await new Promise<void>((resolve) => this.#wait(resolve));
    }
    this.#occupied = true;
    try {
      return await store();
    } finally {
      this.#occupied = false;
      this.proceed();
    }
  }

  /** The same, and no more turns run before it is stored: a busy agent would never come to it. */
  async aside(store: () => Promise<void>): Promise<void> {
    this.#aside += 1;
    try {
      await this.between(store);
    } finally {
      this.#aside -= 1;
      this.#mailbox.arrived();
    }
  }

  /**
   * True when no turn is left to be committed. Other entries that are on their way wait for none.
   */
  get isSettled(): boolean {
    return this.count === 0;
  }

  /** Resolves when nothing is left to be committed, be it stored or given up. */
  async settled(): Promise<void> {
    while (this.#occupied || this.count > 0) {
      await new Promise<void>((resolve) => this.#wait(resolve));
    }
  }

  #wait(resolve: () => void): void {
    this.#settled = [...this.#settled, resolve];
  }

  #tellSettled(): void {
    const settled = this.#settled;
    this.#settled = nothing;
    for (const resolve of settled) resolve();
  }
}

/** Shared, because most mailboxes have nothing to commit most of the time. */
const nothing: readonly never[] = Object.freeze([]);
