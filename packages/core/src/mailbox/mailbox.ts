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
import { storableFailure, Turn } from "../turn/turn.ts";
import type { AgentRuntime } from "../worker/agent-runtime.ts";
import { errorData, TroupeError } from "../errors/troupe-error.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import { Activation } from "./activation.ts";
import { answer, recognise, tellRetry } from "./answers.ts";
import type { AgentState } from "./agent-history.ts";
import { AgentHistory, stateAfter } from "./agent-history.ts";
import type { Delivery } from "./delivery.ts";
import { isResume, Parking } from "./parking.ts";
import type { MailboxHost } from "./mailbox-host.ts";
import { Pause } from "./pause.ts";
import { mustPark, retryDelayMs } from "./retry-policy.ts";
import { isThenable, Running } from "./running.ts";
import { StepAppends } from "./step-appends.ts";
import { Uncommitted } from "./uncommitted.ts";

export class Mailbox {
  readonly agent: AgentId;
  readonly name: string;
  readonly partition: number;
  /** True while the committer has this mailbox on its list. */
  scheduled = false;
  readonly #host: MailboxHost;
  readonly #runtime: AgentRuntime;
  readonly #history: AgentHistory;
  readonly #activation: Activation;
  readonly #parking: Parking;
  readonly #steps: StepAppends;
  readonly #uncommitted: Uncommitted;
  readonly #pause: Pause;
  #queue: Delivery[] = [];
  /**
   * Something asynchronous is under way: a load, a handler, a pause, a place in the line for a
   * permit.
   */
  #busy = false;
  #running: Running | undefined;
  /**
   * Grows whenever the draft is thrown away; a handler of an older epoch has nothing to commit any
   * more.
   */
  #epoch = 0;
  #draft: AgentState;
  #drained: (() => void)[] = [];
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
    this.#pause = new Pause(host.clock);
    this.#activation = new Activation(host, agent, this.#history, this.#pause);
    this.#parking = new Parking(this, host, this.#history, runtime);
    this.#uncommitted = new Uncommitted(() => host.committer.schedule(this));
    this.#steps = new StepAppends(this, host.log, this.#history, this.#uncommitted);
  }

  /** Position of the journal's last record as far as this mailbox knows; 0 before the first. */
  get revision(): Position {
    return this.#history.revision;
  }

  /** Nothing is queued, running or waiting for its commit: the mailbox may be forgotten. */
  get idle(): boolean {
    return this.#queue.length === 0 && !this.#busy && this.#uncommitted.count === 0;
  }

  deliver(delivery: Delivery): void {
    this.#queue.push(delivery);
    if (!this.#busy) this.#pump();
  }

  /** Give back what has not started, finish the rest. Resolves when nothing is left. */
  drain(): Promise<void> {
    this.#queue = [];
    this.#draining = true;
    if (this.#pause.cancel()) this.#busy = false;
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
    this.#uncommitted.dropReady();
    this.#pause.cancel();
    this.#activation.abandon();
    this.#running?.abandon(new Error("The worker stops."));
  }

  /** For the committer: the turns to commit next, empty while others are on their way. */
  takeReady(messagesMax: number): readonly Turn[] {
    return this.#uncommitted.take(messagesMax);
  }

  /** The log stored the turns that `takeReady` gave. */
  committed(revisions: readonly Position[]): void {
    this.#activation.confirm();
    for (const [index, turn] of this.#uncommitted.stored().entries()) {
      this.#history.advance(stateAfter(turn), revisions[index] ?? this.#history.revision);
      answer(this.#host, turn, this.revision);
      turn.delivery.done();
    }
    this.#host.snapshots.consider(this.#history, this.agent);
    this.#uncommitted.proceed();
    this.#pump();
  }

  /**
   * The commit was refused by the fence or its outcome is unknown: start again from what the
   * journal says.
   */
  recover(): void {
    const redo = this.#uncommitted.withdraw().map((turn) => turn.delivery);
    if (this.#running !== undefined) {
      redo.push(...this.#running.turns.map((turn) => turn.delivery));
      this.#running.abort(new Error("The turn was given up: another worker wrote to the journal."));
      this.#running = undefined;
    }
    // What the log did is not the handler's failure: these runs do not count as attempts.
    for (const delivery of redo) delivery.attempts = Math.max(0, delivery.attempts - 1);
    this.#queue.unshift(...redo);
    this.#draft = this.#history.current;
    this.#activation.restart();
    this.#epoch += 1;
    this.#steps.forget();
    this.#uncommitted.proceed();
    if (!this.#busy) this.#pump();
  }

  /**
   * The log will never store one of the turns: find it, and record that instead of what it wanted
   * to store.
   */
  refuse(error: TroupeError): void {
    const refused = this.#uncommitted.refused()?.delivery;
    if (refused !== undefined) {
      if (refused.verdict !== undefined) this.#fault("commit of a failure", error);
      refused.verdict = error;
      // This run was the handler's last one, so it counts.
      refused.attempts += 1;
    }
    this.recover();
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

  /** Resolves when nothing is left to be committed, be it stored or given up. */
  allCommitted(): Promise<void> {
    return this.#uncommitted.settled();
  }

  #pump(): void {
    while (!this.#busy && !this.#abandoned) {
      const delivery = this.#queue[0];
      if (delivery === undefined) break;
      if (!this.#activation.done) return this.#activate();
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
        if (this.#uncommitted.count >= this.#host.limits.runAheadMax) return;
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
    const turn = new Turn(
      this.#host,
      this.#runtime,
      this.agent,
      delivery,
      this.#draft,
      this.#steps,
    );
    if (delivery.verdict !== undefined) return this.#failed(turn, delivery.verdict);
    let outcome: unknown;
    try {
      outcome = turn.run();
    } catch (thrown) {
      return this.#failed(turn, thrown);
    }
    if (isThenable(outcome)) this.#wait(turn, outcome);
    else this.#finished(turn, outcome);
  }

  #wait(turn: Turn, outcome: PromiseLike<unknown>): void {
    const epoch = this.#epoch;
    const running = new Running([turn]);
    this.#busy = true;
    this.#running = running;
    running.wait(outcome, this.#host.clock, ({ failed, value }) => {
      this.#busy = false;
      if (this.#running === running) this.#running = undefined;
      if (epoch === this.#epoch) {
        if (failed) this.#failed(turn, value);
        else this.#finished(turn, value);
      }
      if (!this.#busy) this.#pump();
    });
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
    const { random } = this.#host;
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
    tellRetry(this.#host, turn, thrown, delayMs);
    turn.abort(thrown);
    // While draining it is given back instead: the next holder tries it.
    if (this.#draining) return;
    this.#queue.unshift(turn.delivery);
    this.#busy = true;
    this.#pause.start(delayMs, () => this.#resume());
  }

  #queueForCommit(turn: Turn): void {
    if (this.#abandoned) return;
    this.#draft = stateAfter(turn);
    this.#uncommitted.add(turn);
  }

  #activate(): void {
    this.#busy = true;
    this.#activation.run(() => {
      if (this.#activation.done) this.#draft = this.#history.current;
      this.#resume();
    });
  }

  #fault(what: string, thrown: unknown): void {
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }
}
