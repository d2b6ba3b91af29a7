/**
 * The mailbox of one agent: its queue, its state, and the turns that wait for their commit.
 *
 *  - Messages wait in the inbox; for a key that is behind, most stay on the log (backlog.ts).
 *  - Deliveries run one at a time, in log order (I2). The next one may run on the draft that the previous one left, before
 *    that is committed; both then commit in order, or neither does.
 *  - `#history` is what the journal says, `#draft` is that plus the turns that are not committed yet.
 *  - A delivery at or before the last handled position is a duplicate: the handler does not run (I4).
 *  - When a commit fails, everything after `#history` is thrown away, the journal's tail is read again and the
 *    deliveries run again, unless the journal already has them (I4, I5).
 */
import { givenUp } from "../turn/given-up.ts";
import { storableFailure } from "../../journal/storable-failure.ts";
import { Turn } from "../turn/turn.ts";
import { promiseOf } from "../../wire/thenable.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import { errorData, TroupeError } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import type { LogLimits } from "../../log/log-limits.ts";
import { Activation } from "./activation.ts";
import { answer, recognise, tellRetry } from "./answers.ts";
import { stateAfter, type AgentState } from "../turn/agent-state.ts";
import { AgentHistory } from "../history/agent-history.ts";
import type { Delivery, WindowPlace } from "../runtime/delivery.ts";
import type { Standing } from "./lru-list.ts";
import { Inbox } from "./inbox.ts";
import { isWord, Parking } from "./parking.ts";
import type { MailboxHost, MailboxPlace } from "./mailbox-host.ts";
import { Pause } from "./pause.ts";
import { givenBack, isOfStopping } from "./of-stopping.ts";
import { mayFollow } from "./may-follow.ts";
import { PermitWait } from "./permit-wait.ts";
import { mustPark, retryDelayMs } from "../../definition/retry-policy.ts";
import { InFlight } from "./in-flight.ts";
import { afterEnd, processesDied, RunCounting } from "./run-counting.ts";
import { Running } from "./running.ts";
import { StepAppends } from "./step-appends.ts";
import { Uncommitted } from "./uncommitted.ts";

export class Mailbox implements Standing<Mailbox> {
  readonly agent: AgentId;
  readonly name: string;
  readonly partition: number;
  /** True on the committer's list; below, its neighbours in the line of idle mailboxes. */
  scheduled = false;
  ahead: Mailbox | undefined;
  behind: Mailbox | undefined;
  readonly #host: MailboxHost;
  readonly #runtime: AgentRuntime;
  readonly #history: AgentHistory;
  /** Set until the first commit shows that the history is right. */
  #activation: Activation | undefined;
  #parking: Parking | undefined;
  readonly #steps: StepAppends;
  readonly #uncommitted: Uncommitted;
  readonly #pause: Pause;
  readonly #permitWait: PermitWait;
  readonly #inbox: Inbox;
  readonly #runs: RunCounting | undefined;
  /** True while asynchronous work is under way: a load, a handler, a pause, a place in a line. */
  #busy = false;
  #inFlight: InFlight | undefined;
  /** Grows whenever the draft is thrown away, and with it what older handlers would commit. */
  #epoch = 0;
  #draft: AgentState;
  #drained: PromiseWithResolvers<void> | undefined;
  #draining = false;
  #abandoned = false;

  constructor(
    host: MailboxHost,
    runtime: AgentRuntime,
    agent: AgentId,
    { partition, suspicion }: MailboxPlace,
  ) {
    this.#host = host;
    this.#runtime = runtime;
    this.agent = agent;
    this.name = agentName(agent);
    this.partition = partition;
    this.#history = new AgentHistory(host, runtime, agent);
    this.#draft = this.#history.current;
    this.#pause = new Pause(host.clock);
    this.#permitWait = new PermitWait(host.permits);
    this.#activation = this.#newActivation();
    this.#inbox = new Inbox(this, host, runtime.topics);
    this.#uncommitted = new Uncommitted(this, host.committer);
    this.#steps = new StepAppends(this, host, this.#history, this.#uncommitted);
    const line = this.#uncommitted;
    this.#runs = suspicion && new RunCounting(this, host, this.#history, suspicion, line);
  }

  /** Position of the journal's last record as far as this mailbox knows; 0 before the first. */
  get revision(): Position {
    return this.#history.revision;
  }

  /** A parked agent leaves the steps of its message on the log, and reads them again later. */
  get rests(): "in memory" | "on the log" {
    return this.#history.hasOpenSteps ? "on the log" : "in memory";
  }

  /** True when nothing waits, runs or is to be committed: the mailbox may be forgotten. */
  get idle(): boolean {
    return this.#inbox.empty && !this.#busy && this.#uncommitted.count === 0;
  }

  deliver(input: Input, place: WindowPlace): void {
    this.#inbox.add(input, place);
    this.arrived();
  }

  /** Give back what has not started, finish the rest. Resolves when nothing is left. */
  drain(): Promise<void> {
    this.#inbox.clear();
    this.#draining = true;
    const ended = [this.#pause.cancel(), this.#permitWait.leave(), this.#runs?.cancelWait()];
    if (ended.includes(true)) this.#busy = false;
    if (this.idle) return this.#runs?.end() ?? Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /** Stop at once, and commit nothing more: turns that were not committed run again elsewhere. */
  abandon(why: string): void {
    this.#abandoned = true;
    this.#inbox.clear();
    this.#uncommitted.dropReady();
    this.#pause.cancel();
    this.#runs?.leave();
    this.#activation?.abandon();
    if (this.#inFlight !== undefined) this.#giveBackAll(this.#inFlight, why);
    void afterEnd(this.#runs, () => this.#drained?.resolve());
  }

  get running(): boolean {
    return this.#inFlight !== undefined || this.#uncommitted.count > 0;
  }

  /** Gives back, while draining, turns that wait only for asks which none can answer (STOP-2). */
  giveBack(asks: number): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined || !this.#draining || inFlight.stepsUnderWay > asks) return;
    this.#inFlight = undefined;
    this.#giveBackAll(inFlight, "nobody else hosts who was asked");
    this.#resume();
  }

  #giveBackAll(inFlight: InFlight, why: string): void {
    const reason = givenBack(this.agent, why);
    for (const each of inFlight.drop(reason)) this.#host.onGivenBack(this.agent, each, reason);
  }

  /** Turns for the committer to commit next, empty while others are on their way. */
  takeReady(limits: LogLimits): readonly Turn[] {
    return this.#uncommitted.take(limits);
  }

  /** The log stored the turns that `takeReady` gave. */
  committed(revisions: readonly Position[]): void {
    if (this.#activation?.done === true) this.#activation = undefined;
    const stored = this.#uncommitted.stored();
    for (const [index, turn] of stored.entries()) {
      const revision = revisions[index] ?? this.#history.revision;
      this.#history.advance(stateAfter(turn, this.#history.current), revision, turn);
      answer(this.#host, turn, this.revision);
      turn.delivery.place.done();
    }
    this.#steps.handled();
    const last = stored.at(-1);
    if (last !== undefined) this.#host.kept.after(last, this.#history, this.#uncommitted);
    this.#uncommitted.proceed();
    this.#pump();
  }

  /** A commit was refused by the fence or its outcome is unknown: start again from the journal. */
  recover(): void {
    const withdrawn = this.#uncommitted.withdraw();
    // A fault of the log is no failure of the handler: these runs do not count as attempts.
    for (const turn of withdrawn) if (turn.delivery.forced === undefined) turn.uncount();
    const reason = "The turn was given up: another worker wrote to the journal.";
    const aborted = this.#inFlight?.abort(new Error(reason)) ?? [];
    this.#inFlight = undefined;
    // While draining somebody else may have the agent already: they run there, not here again.
    this.#handleFirst([...withdrawn.map((turn) => turn.delivery), ...aborted]);
    this.#draft = this.#history.current;
    this.#activation ??= this.#newActivation();
    this.#activation.restart();
    this.#epoch += 1;
    this.#steps.forget();
    this.#uncommitted.proceed();
    if (!this.#busy) this.#pump();
  }

  /** The log will never store one of the turns: find it, and record that instead. */
  refuse(error: TroupeError): void {
    const refused = this.#uncommitted.refused()?.delivery;
    if (refused !== undefined) {
      if (refused.forced !== undefined) this.#fault("commit of a failure", error);
      // That run was the handler's last one, so it counts.
      refused.forced = error;
    }
    this.recover();
  }

  /** Do this before anything else; when it fails, start again with the delivery. */
  async hold(what: string, work: Promise<readonly Delivery[]>, redo: Delivery): Promise<void> {
    this.#busy = true;
    try {
      const first = await work;
      this.#handleFirst(first);
      this.#busy = false;
    } catch (thrown) {
      this.#fault(`${what} of ${this.name}`, thrown);
      if (thrown instanceof TroupeError && !thrown.retryable) redo.forced = thrown;
      // As with other commits, the run before this one does not count.
      else if (redo.begin !== "coming") redo.attempts = Math.max(0, redo.attempts - 1);
      // Deliveries that a failed commit gave back meanwhile may come before it (I2).
      if (this.#draining) this.#inbox.clear();
      else this.#inbox.insert(redo);
      this.#busy = false;
      this.recover();
    }
    this.#pump();
  }

  get epoch(): number {
    return this.#epoch;
  }

  get lastQueued(): Position {
    return this.#inbox.last?.input.position ?? 0;
  }

  allCommitted(): Promise<void> {
    return this.#uncommitted.settled();
  }

  arrived(): void {
    if (!this.#busy) this.#pump();
    else this.#fillBatch();
  }

  #pump(): void {
    this.#runs?.settle();
    this.#inbox.lends = false;
    while (!this.#busy && !this.#abandoned) {
      const delivery = this.#inbox.first;
      if (delivery === undefined) break;
      if (this.#activation?.done === false) return this.#activate(this.#activation);
      if (isWord(delivery.input)) {
        this.#inbox.take();
        this.#parkingOf().hear(delivery);
      } else if (delivery.input.position <= this.#draft.lastInput) {
        if (delivery.input.position > this.#history.current.lastInput) return;
        this.#inbox.take();
        recognise(this.#host, this.agent, delivery);
      } else if (this.#history.parked !== undefined && this.#parkingOf().defers) {
        this.#inbox.take();
        this.#parkingOf().defer(delivery);
      } else if (!this.#start(delivery)) return;
    }
    if (this.idle) this.#becameIdle();
  }

  /** False when commits come first. */
  #start(delivery: Delivery): boolean {
    const { limits, permits } = this.#host;
    const suspect = this.#runs?.concerns(delivery) === true ? this.#runs : undefined;
    // The record of a suspect's run comes behind all others.
    if (this.#uncommitted.isFull(suspect ? 1 : limits.runAheadMax)) return false;
    const mayStart = permits.free || this.#runtime.paces.isQuick(delivery);
    if (!mayStart) this.#waits((then) => this.#permitWait.begin(then));
    else if (suspect !== undefined) this.#begin(delivery, suspect);
    else {
      this.#inbox.take();
      this.#execute(delivery);
    }
    return true;
  }

  #becameIdle(): void {
    this.#runs?.leave();
    if (this.#draining) void afterEnd(this.#runs, () => this.#drained?.resolve());
    else if (!this.#abandoned) this.#host.activations.becameIdle(this);
  }

  /** The message may end the process: its run is written down first. */
  #begin(delivery: Delivery, runs: RunCounting): void {
    this.#busy = true;
    if (!runs.enter(delivery, () => this.#resume())) return;
    this.#inbox.take();
    void this.hold("begin of a run", runs.begin(delivery), delivery);
  }

  /** Begins a wait that may be long: deliveries that wait with it make room for others. */
  #waits(begin?: (then: () => void) => void): void {
    this.#busy = true;
    this.#inbox.lends = true;
    begin?.(() => this.#resume());
  }

  #resume(): void {
    this.#busy = false;
    this.#pump();
  }

  #execute(delivery: Delivery): void {
    const turn = this.#turnOf(delivery);
    const forced = delivery.forced ?? givenUp(turn) ?? processesDied(turn, this.#history);
    if (forced !== undefined) return this.#failed(turn, forced);
    let outcome: unknown;
    let later: Promise<unknown> | undefined;
    try {
      outcome = turn.run();
      later = promiseOf(outcome);
    } catch (thrown) {
      return this.#failed(turn, thrown);
    }
    this.#runtime.paces.returned(turn, later === undefined ? "at once" : "later");
    if (later === undefined) return this.#finished(turn, outcome);
    this.#wait(turn, later, new InFlight());
    this.#fillBatch();
  }

  #turnOf(delivery: Delivery, follows?: Turn, ahead = 0): Turn {
    const draft = { ...this.#draft, turns: this.#draft.turns + ahead };
    return new Turn(this.#host, this.#runtime, this.agent, delivery, draft, this.#steps, follows);
  }

  #wait(turn: Turn, outcome: Promise<unknown>, inFlight: InFlight): void {
    const running = new Running(turn);
    inFlight.add(running);
    turn.delivery.lent ??= turn.delivery.place.lend();
    this.#inFlight = inFlight;
    this.#waits();
    running.wait(outcome, this.#host.clock, () => this.#ended(inFlight));
  }

  /** The messages behind one that waits for its batch may sit in the same one (BATCH-2). */
  #fillBatch(): void {
    for (;;) {
      const last = this.#inFlight?.last;
      if (last?.slot?.call.open !== true || this.#abandoned) return;
      const ahead = (this.#inFlight?.size ?? 0) + this.#uncommitted.count;
      if (ahead >= this.#host.limits.runAheadMax) return;
      const delivery = this.#inbox.first;
      if (delivery === undefined || !mayFollow(last, delivery)) return;
      if (this.#runs?.concerns(delivery) === true) return;
      this.#inbox.take();
      this.#join(delivery, last);
    }
  }

  #join(delivery: Delivery, follows: Turn): void {
    const inFlight = this.#inFlight ?? new InFlight();
    const turn = this.#turnOf(delivery, follows, inFlight.size);
    let outcome: unknown = givenUp(turn);
    let failed = outcome !== undefined;
    let later: Promise<unknown> | undefined;
    try {
      if (!failed) outcome = turn.run();
      if (!failed) later = promiseOf(outcome);
    } catch (thrown) {
      failed = true;
      outcome = thrown;
    }
    if (later !== undefined) return this.#wait(turn, later, inFlight);
    // It is dealt with when its place in the order comes.
    const running = new Running(turn);
    running.end(failed, outcome);
    inFlight.add(running);
  }

  #ended(inFlight: InFlight): void {
    if (inFlight !== this.#inFlight) {
      // They were given up; when no handler has them any more, the agent goes on.
      if (this.#inFlight !== undefined || !inFlight.over) return;
      return this.#resume();
    }
    for (let next = inFlight.take(); next !== undefined; next = inFlight.take()) {
      const { ending, turn } = next;
      this.#busy = inFlight.size > 0;
      if (!this.#busy) this.#inFlight = undefined;
      if (turn.follows !== undefined) turn.settleOn(this.#draft);
      if (turn.missedBatch) this.#missed(turn);
      else if (ending?.failed === true) this.#failed(turn, ending.value);
      else this.#finished(turn, ending?.value);
      if (inFlight !== this.#inFlight) break;
    }
    if (!this.#busy) this.#pump();
  }

  /** Turns of the same batch behind one that is not stored as it was run again after it. */
  #dropFollowers(): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined) return;
    this.#inFlight = undefined;
    this.#busy = false;
    const reason = "The message before this one is handled again first.";
    this.#handleFirst(inFlight.drop(new Error(reason)));
  }

  /** Puts these before all that wait (I2); while draining, all of them are given back. */
  #handleFirst(deliveries: readonly Delivery[]): void {
    if (this.#draining && deliveries.length > 0) this.#inbox.clear();
    else this.#inbox.giveBack(deliveries);
  }

  #finished(turn: Turn, reply: unknown): void {
    const unwanted = givenUp(turn);
    if (unwanted !== undefined) return this.#failed(turn, unwanted);
    try {
      turn.complete(reply);
    } catch (thrown) {
      return this.#failed(turn, thrown);
    }
    if (turn.ends !== undefined) this.#dropFollowers();
    this.#queueForCommit(turn);
  }

  #failed(turn: Turn, cause: unknown): void {
    if (this.#abandoned) return;
    // An error that a handler throws because it was given up is not the one that counts.
    const thrown = turn.delivery.forced ?? givenUp(turn) ?? cause;
    if (this.#draining && isOfStopping(thrown)) return this.#giveBackFailed(turn, thrown);
    const { attempts, forced } = turn.delivery;
    const isNew = forced === undefined;
    const { random } = this.#host;
    const delayMs = isNew ? retryDelayMs(turn.retry, attempts, thrown, random) : undefined;
    if (delayMs === undefined && isNew && mustPark(turn.retry, thrown)) {
      this.#dropFollowers();
      return this.#parkingOf().park(turn, storableFailure(errorData(thrown)));
    }
    if (delayMs === undefined) {
      const told = turn.events.length > 0;
      const keys = turn.fail(thrown);
      if (keys !== undefined) return this.#again(turn, thrown, (then) => void keys.then(then));
      // The others saw events that are not going to be, or did not see those that are.
      if (told || turn.events.length > 0) this.#dropFollowers();
      return this.#queueForCommit(turn);
    }
    tellRetry(this.#host, turn, thrown, delayMs);
    this.#again(turn, thrown, (then) => this.#pause.start(delayMs, then));
  }

  #again(turn: Turn, thrown: unknown, wait: (then: () => void) => void): void {
    turn.abort(thrown);
    this.#dropFollowers();
    this.#handleFirst([turn.delivery]);
    if (!this.#draining) this.#waits(wait);
  }

  /** Gives back a turn that failed because the worker stops, and so has not failed (STOP-3). */
  #giveBackFailed(turn: Turn, why: TroupeError): void {
    turn.abort(why);
    turn.uncount();
    this.#dropFollowers();
    this.#handleFirst([turn.delivery]);
    this.#host.onGivenBack(this.agent, turn.delivery, why);
  }

  /** Puts back a turn whose batch began before it had a slot there; the next batch takes it. */
  #missed(turn: Turn): void {
    this.#dropFollowers();
    turn.uncount();
    this.#handleFirst([turn.delivery]);
  }

  #queueForCommit(turn: Turn): void {
    if (this.#abandoned) return;
    this.#draft = stateAfter(turn, this.#draft);
    this.#uncommitted.add(turn, this.#draft);
  }

  #parkingOf(): Parking {
    this.#parking ??= new Parking(this, this.#host, this.#history);
    return this.#parking;
  }

  #newActivation(): Activation {
    const waiting = (): readonly Delivery[] => this.#inbox.waiting;
    return new Activation(this.#host, this.agent, this.#history, { pause: this.#pause, waiting });
  }

  #activate(activation: Activation): void {
    if (activation.failing) this.#waits();
    this.#busy = true;
    activation.run(() => {
      if (activation.done) this.#draft = this.#history.current;
      this.#resume();
    });
  }

  #fault(what: string, thrown: unknown): void {
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }
}
