/**
 * The mailbox of one agent: its queue, its state, and the turns that wait for their commit.
 *
 *  - Deliveries run one at a time, in log order (I2). The next one may run on the draft that the previous one left,
 *    before that is committed; both then commit in order ("chained"), or neither does.
 *  - `#history` is what the journal says, `#draft` is that plus the turns that are not committed yet.
 *  - A delivery at or before the last handled position is a duplicate: the handler does not run (I4).
 *  - When a commit fails, everything after `#history` is thrown away, the journal's tail is read again and the
 *    deliveries run again, unless the journal already has them (I4, I5).
 */
import { StepLedger } from "../turn/step-ledger.ts";
import { encodeStepRecord } from "../turn/step-record.ts";
import type { StepRecord } from "../turn/step-record.ts";
import { storableFailure, Turn } from "../turn/turn.ts";
import type { AgentRuntime } from "../worker/agent-runtime.ts";
import { errorData, TroupeError } from "../errors/troupe-error.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import { answer, recognise } from "./answers.ts";
import type { AgentState } from "./agent-history.ts";
import { AgentHistory } from "./agent-history.ts";
import type { Delivery } from "./delivery.ts";
import { isResume, Parking } from "./parking.ts";
import type { MailboxHost } from "./mailbox-host.ts";
import { backoffMs, mustPark, retryDelayMs } from "./retry-policy.ts";

export class Mailbox {
  readonly agent: AgentId;
  readonly name: string;
  readonly partition: number;
  /** True while the committer has this mailbox on its list. */
  scheduled = false;
  readonly #host: MailboxHost;
  readonly #runtime: AgentRuntime;
  #queue: Delivery[] = [];
  #loaded = false;
  /**
   * Something asynchronous is under way: a load, a handler, a back-off, a place in the line for a
   * permit.
   */
  #busy = false;
  #running: Turn | undefined;
  #cancelBackoff: (() => void) | undefined;
  /** Ends the time limit of the running handler. */
  #cancelTimeout: (() => void) | undefined;
  /**
   * Grows whenever the draft is thrown away; a handler of an older epoch has nothing to commit any
   * more.
   */
  #epoch = 0;
  readonly #history: AgentHistory;
  readonly #parking: Parking;
  #draft: AgentState;
  #ready: Turn[] = [];
  #committing: Turn[] = [];
  #drained: (() => void)[] = [];
  /** Who waits until nothing is left to be committed. */
  #settled: (() => void)[] = [];
  #ledger: StepLedger | undefined;
  /** Steps are on their way to the log; nothing else of this agent is then (C1). */
  #appending = false;
  #loadAttempts = 0;
  /** Commits refused or lost since the last one that was stored. */
  #recoveries = 0;
  /** So many of the next turns commit one by one, to find the one that the log refuses. */
  #solo = 0;
  #draining = false;
  #abandoned = false;

  constructor(host: MailboxHost, runtime: AgentRuntime, agent: AgentId, partition: number) {
    this.#host = host;
    this.#runtime = runtime;
    this.agent = agent;
    this.name = agentName(agent);
    this.partition = partition;
    this.#history = new AgentHistory(host.log, runtime, agent);
    this.#draft = this.#history.current;
    this.#parking = new Parking(this, host, this.#history, runtime);
  }

  /** Position of the journal's last record as far as this mailbox knows; 0 before the first. */
  get revision(): Position {
    return this.#history.revision;
  }

  /** Nothing is queued, running or waiting for its commit: the mailbox may be forgotten. */
  get idle(): boolean {
    return this.#queue.length === 0 && !this.#busy && !this.#hasUncommitted();
  }

  deliver(delivery: Delivery): void {
    this.#queue.push(delivery);
    if (!this.#busy) this.#pump();
  }

  /** Give back what has not started, finish the rest. Resolves when nothing is left. */
  drain(): Promise<void> {
    this.#queue = [];
    this.#draining = true;
    if (this.#cancelBackoff !== undefined) {
      this.#cancelBackoff();
      this.#cancelBackoff = undefined;
      this.#busy = false;
    }
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /**
   * Stop at once: nothing more is started or committed. What was not committed runs again
   * elsewhere.
   */
  abandon(): void {
    this.#abandoned = true;
    this.#queue = [];
    this.#ready = [];
    this.#cancelBackoff?.();
    this.#cancelBackoff = undefined;
    this.#cancelTimeout?.();
    this.#running?.abort(new Error("The worker stops."));
  }

  /** For a running turn: its steps, also those of earlier runs. */
  ledgerOf({ delivery }: Turn): StepLedger {
    const { position } = delivery.input;
    if (this.#ledger?.inputPosition !== position) {
      this.#ledger = new StepLedger(position, this.#history.stepsOf(position));
    }
    return this.#ledger;
  }

  /** For a running turn: store a step record behind everything that is not committed yet. */
  async append(turn: Turn, steps: StepRecord): Promise<void> {
    const ledger = this.#ledger;
    await this.allCommitted();
    try {
      turn.requireOpen();
    } catch (thrown) {
      // Nothing was stored: the next run of the handler must not take them for recorded (I6).
      if (ledger === this.#ledger) ledger?.putBack(steps.steps);
      throw thrown;
    }
    const epoch = this.#epoch;
    this.#appending = true;
    try {
      const expectedRevision = this.revision;
      const record = encodeStepRecord(steps);
      const commit = { agent: this.agent, expectedRevision, record, outgoing: [] };
      const [revision = expectedRevision] = await this.#host.log.commit([commit]);
      // Also when its turn failed meanwhile: what comes next follows these steps.
      ledger?.recorded(steps.steps);
      if (epoch === this.#epoch) this.#history.stepsStored(steps, revision);
      turn.requireOpen();
    } catch (thrown) {
      // Somebody else wrote, or nobody knows: start again from what the journal says.
      const unsure = thrown instanceof TroupeError && thrown.retryable;
      if (unsure && epoch === this.#epoch) this.recover();
      turn.requireOpen();
      throw thrown;
    } finally {
      this.#appending = false;
      if (this.#ready.length > 0) this.#host.committer.schedule(this);
      else this.#tellSettled();
    }
  }

  /** For the committer: the turns to commit next, empty while others are on their way. */
  takeReady(messagesMax: number): readonly Turn[] {
    if (this.#appending || this.#committing.length > 0 || this.#ready.length === 0) return [];
    let messages = 0;
    let count = 0;
    for (const turn of this.#ready) {
      messages += turn.messages;
      if (count > 0 && (messages > messagesMax || this.#solo > 0)) break;
      count += 1;
    }
    this.#committing = this.#ready.splice(0, count);
    return this.#committing;
  }

  /** The log stored the turns that `takeReady` gave. */
  committed(revisions: readonly Position[]): void {
    const turns = this.#committing;
    this.#committing = [];
    this.#recoveries = 0;
    this.#solo = Math.max(0, this.#solo - turns.length);
    for (const [index, turn] of turns.entries()) {
      this.#history.advance(stateAfter(turn), revisions[index] ?? this.#history.revision);
      answer(this.#host, turn, this.revision);
      turn.delivery.done();
    }
    this.#host.snapshots.consider(this.#history, this.agent);
    if (this.#ready.length > 0) this.#host.committer.schedule(this);
    else this.#tellSettled();
    this.#pump();
  }

  /**
   * The commit was refused by the fence or its outcome is unknown: start again from what the
   * journal says.
   */
  recover(): void {
    const redo = [...this.#committing, ...this.#ready].map((turn) => turn.delivery);
    if (this.#running !== undefined) {
      redo.push(this.#running.delivery);
      this.#running.abort(new Error("The turn was given up: another worker wrote to the journal."));
      this.#running = undefined;
    }
    // What the log did is not the handler's failure: these runs do not count as attempts.
    for (const delivery of redo) delivery.attempts = Math.max(0, delivery.attempts - 1);
    this.#queue.unshift(...redo);
    this.#committing = [];
    this.#ready = [];
    this.#draft = this.#history.current;
    this.#loaded = false;
    this.#recoveries += 1;
    this.#epoch += 1;
    this.#ledger = undefined;
    this.#tellSettled();
    if (!this.#busy) this.#pump();
  }

  /**
   * The log will never store one of the turns: find it, and record that instead of what it wanted
   * to store.
   */
  refuse(error: TroupeError): void {
    const first = this.#committing[0]?.delivery;
    if (this.#committing.length > 1) {
      this.#solo = this.#committing.length;
    } else if (first !== undefined) {
      if (first.verdict !== undefined) this.#fault("commit of a failure", error);
      first.verdict = error;
      // This run was the handler's last one, so it counts.
      first.attempts += 1;
    }
    this.recover();
  }

  #tellSettled(): void {
    const settled = this.#settled;
    this.#settled = [];
    for (const resolve of settled) resolve();
  }

  /** For parking: do this before anything else; when it fails, start again with these. */
  async hold(work: Promise<readonly Delivery[]>, redo: Delivery): Promise<void> {
    this.#busy = true;
    try {
      const first = await work;
      if (!this.#draining) this.#queue.unshift(...first);
      this.#busy = false;
    } catch (thrown) {
      this.#fault(`parking of ${this.name}`, thrown);
      if (thrown instanceof TroupeError && !thrown.retryable) redo.verdict = thrown;
      // Where it belongs: what a failed commit gave back meanwhile may come before it (I2).
      const behind = this.#queue.findIndex(({ input }) => input.position > redo.input.position);
      this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, redo);
      this.#busy = false;
      this.recover();
    }
    this.#pump();
  }

  /** Grows with every start from the journal. */
  get epoch(): number {
    return this.#epoch;
  }

  async allCommitted(): Promise<void> {
    while (this.#appending || this.#hasUncommitted()) {
      await new Promise<void>((resolve) => this.#settled.push(resolve));
    }
  }

  #hasUncommitted(): boolean {
    return this.#ready.length + this.#committing.length > 0;
  }

  #pump(): void {
    while (!this.#busy && !this.#abandoned) {
      const delivery = this.#queue[0];
      if (delivery === undefined) break;
      if (!this.#loaded) return this.#load();
      const uncommitted = this.#ready.length + this.#committing.length;
      if (isResume(delivery.input)) {
        this.#queue.shift();
        this.#parking.resume(delivery);
      } else if (delivery.input.position <= this.#draft.lastInput) {
        if (delivery.input.position > this.#history.current.lastInput) return;
        this.#queue.shift();
        recognise(this.#host, this.agent, delivery);
      } else if (this.#parking.defers) {
        this.#queue.shift();
        this.#parking.defer(delivery);
      } else {
        if (uncommitted >= this.#host.limits.runAheadMax) return;
        if (!this.#host.permits.free) return this.#waitForPermit();
        this.#queue.shift();
        this.#execute(delivery);
      }
    }
    if (this.idle) this.#becameIdle();
  }

  #becameIdle(): void {
    const drained = this.#drained;
    if (drained.length === 0) return;
    this.#drained = [];
    for (const resolve of drained) resolve();
  }

  #waitForPermit(): void {
    this.#busy = true;
    this.#host.permits.whenFree(() => this.#resume());
  }

  #resume(): void {
    this.#busy = false;
    this.#pump();
  }

  #execute(delivery: Delivery): void {
    const turn = new Turn(this.#host, this.#runtime, this.agent, delivery, this.#draft, this);
    if (delivery.verdict !== undefined) return this.#failed(turn, delivery.verdict);
    const { attempts } = delivery;
    let outcome: unknown;
    try {
      outcome = turn.run();
    } catch (thrown) {
      return this.#failed(turn, thrown);
    }
    if (isThenable(outcome)) this.#wait(turn, outcome, attempts);
    else this.#finished(turn, outcome);
  }

  #wait(turn: Turn, outcome: PromiseLike<unknown>, attemptsBefore: number): void {
    const epoch = this.#epoch;
    this.#busy = true;
    this.#running = turn;
    turn.takePermit();
    let settled = false;
    const settle = (act: () => void): void => {
      // The first of the handler and its time limit decides.
      if (settled) return;
      settled = true;
      this.#cancelTimeout?.();
      this.#cancelTimeout = undefined;
      turn.leave();
      this.#busy = false;
      if (this.#running === turn) this.#running = undefined;
      if (epoch === this.#epoch) act();
      if (!this.#busy) this.#pump();
    };
    const { timeoutMs } = turn.retry;
    this.#cancelTimeout = this.#host.clock.after(timeoutMs, () => {
      // Also when it never came to the handler, as with a schema that does not settle.
      turn.delivery.attempts = Math.max(turn.delivery.attempts, attemptsBefore + 1);
      settle(() => this.#failed(turn, turn.tooLong(timeoutMs)));
    });
    outcome.then(
      (reply) => settle(() => this.#finished(turn, reply)),
      (thrown: unknown) => settle(() => this.#failed(turn, thrown)),
    );
  }

  #finished(turn: Turn, reply: unknown): void {
    try {
      turn.complete(reply);
    } catch (thrown) {
      return this.#failed(turn, thrown);
    }
    this.#queueForCommit(turn);
  }

  #failed(turn: Turn, thrown: unknown): void {
    if (this.#abandoned) return;
    const { clock, feed, random } = this.#host;
    const { attempts, verdict } = turn.delivery;
    const delayMs =
      verdict === undefined ? retryDelayMs(turn.retry, attempts, thrown, random) : undefined;
    if (delayMs === undefined && verdict === undefined && mustPark(turn.retry, thrown)) {
      return this.#parking.park(turn, storableFailure(errorData(thrown)));
    }
    if (delayMs === undefined) {
      turn.fail(thrown);
      return this.#queueForCommit(turn);
    }
    if (feed.active) {
      const inputPosition = turn.delivery.input.position;
      const failure = errorData(thrown);
      feed.emit({
        kind: "turn.retrying",
        agent: this.agent,
        inputPosition,
        attempt: attempts,
        delayMs,
        failure,
      });
    }
    turn.abort(thrown);
    // While draining it is given back instead: the next holder tries it.
    if (this.#draining) return;
    this.#queue.unshift(turn.delivery);
    this.#busy = true;
    this.#cancelBackoff = clock.after(delayMs, () => {
      this.#cancelBackoff = undefined;
      this.#resume();
    });
  }

  #queueForCommit(turn: Turn): void {
    if (this.#abandoned) return;
    this.#draft = stateAfter(turn);
    this.#ready.push(turn);
    this.#host.committer.schedule(this);
  }

  #load(): void {
    this.#busy = true;
    // The first time at once; when commits keep failing, with pauses.
    if (this.#recoveries < 2) return this.#loadNow();
    const { clock, random, retry } = this.#host;
    const delayMs = backoffMs(retry, this.#recoveries - 1, random);
    this.#cancelBackoff = clock.after(delayMs, () => {
      this.#cancelBackoff = undefined;
      if (!this.#abandoned) this.#loadNow();
    });
  }

  #loadNow(): void {
    const startedAtMs = this.#host.clock.now();
    this.#history.load().then(
      () => {
        this.#draft = this.#history.current;
        this.#loaded = true;
        this.#loadAttempts = 0;
        if (this.#host.feed.active) {
          const tookMs = this.#host.clock.now() - startedAtMs;
          const { turns } = this.#draft;
          this.#host.feed.emit({ kind: "agent.activated", agent: this.agent, turns, tookMs });
        }
        this.#resume();
      },
      (thrown: unknown) => this.#loadFailed(thrown),
    );
  }

  /** The key waits, the others go on: an unreadable journal must not lose its messages. */
  #loadFailed(thrown: unknown): void {
    if (this.#abandoned) return;
    this.#fault(`activation of ${this.name}`, thrown);
    const { clock, random, retry } = this.#host;
    this.#loadAttempts += 1;
    this.#cancelBackoff = clock.after(backoffMs(retry, this.#loadAttempts, random), () => {
      this.#cancelBackoff = undefined;
      this.#resume();
    });
  }

  #fault(what: string, thrown: unknown): void {
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }
}

function stateAfter(turn: Turn): AgentState {
  return {
    state: turn.state,
    turns: turn.number,
    lastInput: turn.delivery.input.position,
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}
