/**
 * Steps of a running turn (I6, I13). The reasons are in DESIGN.md.
 *
 *  STEP-1 A step whose result is recorded returns it; its function does not run.
 *  STEP-2 A step resolves only after its result is in the journal, whether its function is
 *     synchronous or not. Steps that finish while an append is on its way go together with the next
 *     one, so many at once cost few round trips; steps that are too large together go one after the
 *     other. When the log refuses the record of one step, that step fails; a later run offers the
 *     same result again, its effect does not run again.
 *  STEP-3 A drawn value (the clock, chance, ids) costs no round trip: it is recorded with the next
 *     append or with the turn. Before the next effect it is recorded in any case, because that
 *     effect may be known by it.
 *  STEP-4 A result comes back as it was stored, in the first run as in every later one.
 *  STEP-5 Between the end of an effect and its record a crash makes it run again. The idempotency
 *         key is the same then.
 *  STEP-6 Before an effect the ground is firm: everything before it is stored, and after an
 *     activation the journal has taken a record of ours, if need be an empty one, so nobody else
 *     wrote to it meanwhile (I5).
 *  STEP-7 A step that is not awaited does not end the process when it fails; one that is under way
 *     when its handler is done is told.
 *  STEP-8 An ask outlives the runs of its handler, is accepted only from the owner of the agent,
 *     and is made once, however late a run makes it again (asks-under-way.ts, earlier-ask.ts).
 */
import { RevisionConflictError } from "../../errors/log-errors.ts";
import { StepTimeoutError, TurnEndedError } from "../../errors/message-errors.ts";
import { PersonalDataErasedError } from "../../errors/personal-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import { Sealed } from "../../wire/sealed.ts";
import { stored, storedCopy } from "../../wire/storable.ts";
import type { AskWaiters } from "./asks-under-way.ts";
import { answerFor } from "./asks-under-way.ts";
import type { MakeAsk } from "./make-ask.ts";
import { asksMayBeForgotten, earlierAsk } from "./earlier-ask.ts";
import type { EarlierRun } from "../../journal/earlier-run.ts";
import type { RecordedStep, StepIdentity } from "../../journal/recorded-step.ts";
import { idempotencyKeyOf, stepLabel } from "../../journal/recorded-step.ts";
import type { StepCall } from "./step-call.ts";
import type { StepLedger } from "./step-ledger.ts";
import { holding, waitForLimits } from "./step-limits.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import { stepRecordOfTurn } from "./step-record-of-turn.ts";
import { insideStep } from "./step-scope.ts";
import type { StepUse } from "./step-uses.ts";
import { StepUses } from "./step-uses.ts";
import type { OpenTurn } from "./open-turn.ts";

/** Store of a turn's steps: its mailbox. */
export interface StepStore {
  /** The steps of the input at this position. */
  ledgerOf(turn: OpenTurn): StepLedger;
  /** Store a step record, behind all before it; rejects when the turn was given up. */
  append(turn: OpenTurn, steps: StepRecord): Promise<void>;
  /** True when everything before this turn is stored. */
  readonly isSettled: boolean;
  /** True when the journal has taken a record of ours since the activation. */
  readonly isConfirmed: boolean;
  /** Resolves when nothing before this turn is still to be stored. */
  settled(): Promise<void>;
  /** End of the journal, as far as is known; a fence names it. */
  readonly revision: Position;
  /**
   * True when another owner may have begun this turn: nothing was committed since the activation.
   */
  readonly mayBeBegun: boolean;
  /** The journal does not end where it should: start again from what it says. */
  lost(): void;
  /** Failed runs of this input that the journal tells of. */
  earlierRunsOf(turn: OpenTurn): readonly EarlierRun[];
}

export class TurnSteps {
  readonly #turn: OpenTurn;
  readonly #store: StepStore;
  readonly #uses = new StepUses();
  #ledger: StepLedger;

  constructor(turn: OpenTurn, store: StepStore) {
    this.#turn = turn;
    this.#store = store;
    this.#ledger = store.ledgerOf(turn);
  }

  /** Do an effect once, ever. */
  run(call: StepCall, signal: AbortSignal): Promise<unknown> {
    const result = this.#take(call, signal);
    // A caller that awaits the result hears of the failure there (STEP-7).
    result.catch(() => undefined);
    return result;
  }

  async #take(call: StepCall, signal: AbortSignal): Promise<unknown> {
    this.#turn.requireOpen();
    const use = this.#uses.begin(call.name, call.digest);
    try {
      const value = await this.#result(use, call, signal);
      this.#uses.end(use);
      return value;
    } catch (thrown) {
      if (call.kind === "ask") this.#uses.end(use);
      else this.#uses.giveBack(use);
      throw thrown;
    }
  }

  async #result(use: StepUse, call: StepCall, signal: AbortSignal): Promise<unknown> {
    if (this.#ledger.step(use.key) !== undefined) {
      if (!this.#ledger.isRecorded(use.key)) await this.#record(use.key);
      const { value } = this.#ledger.step(use.key) ?? {};
      if (value instanceof Sealed) throw erasedStep(this.#turn, stepLabel(use));
      return ownCopy(value);
    }
    if (!this.#isFirm) await this.#makeFirm();
    const turn = this.#turn;
    const { options } = call;
    const calledMs = turn.tookMs;
    const permit =
      options.limit === undefined
        ? undefined
        : await waitForLimits(turn, stepLabel(use), options, signal);
    const startMs = turn.tookMs;
    const idempotencyKey = this.#idempotencyKey(use);
    const run = (): unknown => call.effect({ idempotencyKey, signal });
    const effect = (): unknown => (call.kind === "ask" ? run() : this.#inside(use, run));
    const outcome = permit === undefined ? effect() : holding(permit, effect);
    const result = await this.#inTime(Promise.resolve(outcome), use, options.timeoutMs);
    this.#turn.requireOpen();
    const value = stored(result, `The result of the step ${stepLabel(use)}`);
    if (this.#turn.muted) return ownCopy(value);
    const waitedMs = permit === undefined ? undefined : startMs - calledMs;
    const askedAt = this.#ledger.asks.positionOf(idempotencyKey);
    const times = { startMs, tookMs: turn.tookMs - startMs, waitedMs };
    this.#ledger.note({ ...this.#stepOf(use, value), ...times, askedAt });
    await this.#flush();
    this.#ledger.requireStored(use.key);
    return ownCopy(value);
  }

  /** Ask once, ever: the next run waits for the same answer. @throws what the run ends with */
  async ask(key: string, waiters: AskWaiters, ask: MakeAsk): Promise<unknown> {
    const turn = this.#turn;
    const { asks } = this.#ledger;
    if (turn.slot !== undefined) asks.askedIn(turn.slot.call);
    // Until it is known, the handler keeps its place: nobody else has to answer that.
    const isKnown = asks.has(key) || !this.#store.mayBeBegun || !asksMayBeForgotten(turn);
    const acceptedAt = isKnown ? undefined : await earlierAsk(turn, ask.earlier);
    const onAccepted = (position: Position): void => asks.accepted(key, position);
    const begin = (signal: AbortSignal): Promise<unknown> =>
      this.#begin(ask, { acceptedAt, signal, onAccepted });
    // The next runs never join an ask of a run that was over before it asked.
    if (!asks.has(key)) turn.requireLive();
    // The callee may have such a message as well, and would wait for it for ever.
    turn.host.suspects.leave(agentName(turn.agent));
    return turn.permit.whileWaiting(() => answerFor(asks.join(key, begin), waiters));
  }

  /** Fenced, so that nobody who lost the agent asks beside its owner (STEP-8). */
  async #begin(
    { make }: MakeAsk,
    how: Omit<Parameters<MakeAsk["make"]>[0], "fence">,
  ): Promise<unknown> {
    const turn = this.#turn;
    for (;;) {
      const { revision } = this.#store;
      try {
        return await make({ ...how, fence: { agent: turn.agent, revision } });
      } catch (thrown) {
        if (!(thrown instanceof RevisionConflictError)) throw thrown;
        // Perhaps it is our own steps that were stored meanwhile.
        await this.#store.settled();
        // The next run may wait for it by now. It asks again when it hears of the log's trouble;
        // that this run is over is nothing to it.
        if (turn.ended) throw thrown;
        if (this.#store.revision !== revision) continue;
        this.#store.lost();
        throw thrown;
      }
    }
  }

  /** A value that is drawn once, ever, and needs no round trip (STEP-3). */
  draw(name: string, value: () => unknown): unknown {
    this.#turn.requireOpen();
    const use = this.#uses.draw(name);
    const known = this.#ledger.step(use.key);
    if (known !== undefined) return known.value;
    const drawn = value();
    if (!this.#turn.muted) this.#ledger.noteDrawn(this.#stepOf(use, drawn));
    return drawn;
  }

  /**
   * The turn is given up: the ledger belongs to its next run, which must not see what a batch
   * handler still does with this one (BATCH-4).
   */
  detach(): void {
    this.#ledger = this.#ledger.copy();
  }

  /** The turn's record was not made after all. */
  putBack(steps: readonly RecordedStep[]): void {
    this.#ledger.putBack(steps);
  }

  /** Takes the steps that are not recorded yet, for the turn's own record. */
  takePending(): readonly RecordedStep[] {
    return this.#ledger.takePending();
  }

  /** Recorded by earlier runs, and not taken by this one. */
  get unused(): readonly StepIdentity[] {
    return this.#uses.unused(this.#ledger.steps);
  }

  /** The handler is done: steps that it did not await go on without a record (STEP-7). */
  tellUnderWay(): void {
    const { agent, delivery, host } = this.#turn;
    const { position } = delivery.input;
    for (const use of this.#uses.underWay) {
      // A handler that asks two and takes the first answer means it.
      if (use.name.startsWith("~")) continue;
      const name = agentName(agent);
      const step = stepLabel(use);
      const error = new TurnEndedError(
        `The handler of ${name} for the message at ${position} returned while its step ${step} was under way: whether its effect happens is not recorded. Await every step.`,
        { details: { agent: name, position, step } },
      );
      host.feed.emit({
        kind: "fault",
        what: `step ${step} of ${name}`,
        failure: errorData(error),
      });
    }
  }

  get #isFirm(): boolean {
    const { isConfirmed, isSettled } = this.#store;
    return (isConfirmed && isSettled && !this.#ledger.hasUnrecordedDraws) || this.#turn.muted;
  }

  /**
   * Resolves when everything before the effect is stored, and the agent is still ours (STEP-3,
   * STEP-6).
   */
  async #makeFirm(): Promise<void> {
    while (!this.#isFirm) {
      const { isConfirmed } = this.#store;
      if (isConfirmed && !this.#ledger.hasUnrecordedDraws) await this.#store.settled();
      else await this.#flush("also nothing");
      this.#turn.requireOpen();
    }
  }

  #inside(use: StepUse, effect: () => unknown): Promise<unknown> {
    return insideStep(stepLabel(use), [this.#turn], effect);
  }

  #idempotencyKey(use: StepUse): string {
    const { agent, delivery, host } = this.#turn;
    return idempotencyKeyOf(host.identity.id, agent, delivery.input.position, use);
  }

  /** A step that begins and is over now. */
  #stepOf({ digest, name, order, use }: StepUse, value: unknown): RecordedStep {
    const { delivery, tookMs: startMs } = this.#turn;
    const run = Math.max(1, delivery.attempts);
    return { name, digest, use, order, value, tookMs: 0, startMs, run };
  }

  /** An earlier run took it; its append failed, was refused, or is still on its way (STEP-2). */
  async #record(key: string): Promise<void> {
    const ledger = this.#ledger;
    await ledger.appending?.catch(() => undefined);
    ledger.offerAgain(key);
    await this.#flush();
    ledger.requireStored(key);
  }

  async #flush(which: "also nothing" | "pending" = "pending"): Promise<void> {
    const ledger = this.#ledger;
    // Its own run hears when it fails; here it only has to be over.
    await ledger.appending?.catch(() => undefined);
    this.#turn.requireOpen();
    if (this.#turn.muted) return undefined;
    if (ledger.appending !== undefined) return ledger.appending;
    if (!ledger.hasPending && which === "pending") return undefined;
    // The first caller appends for all that are done by now; the others wait for it.
    const appending = this.#append().finally(() => {
      if (ledger.appending === appending) ledger.appending = undefined;
    });
    ledger.appending = appending;
    return appending;
  }

  async #append(): Promise<void> {
    const steps = this.#ledger.takePending();
    try {
      await this.#store.append(this.#turn, stepRecordOfTurn(this.#turn, steps));
    } catch (thrown) {
      if (!this.#turn.muted) throw thrown;
    }
  }

  #inTime(
    outcome: Promise<unknown>,
    use: StepUse,
    timeoutMs: number | undefined,
  ): Promise<unknown> {
    if (timeoutMs === undefined) return outcome;
    const { agent, host } = this.#turn;
    return new Promise((resolve, reject) => {
      const cancel = host.clock.after(timeoutMs, () => {
        const name = agentName(agent);
        const step = stepLabel(use);
        reject(
          new StepTimeoutError(
            `The step ${step} of ${name} took longer than ${timeoutMs} ms. Whether its effect happened is unknown; it is tried again with the same idempotency key.`,
            { details: { agent: name, step, timeoutMs } },
          ),
        );
      });
      outcome.then(resolve, reject).finally(cancel);
    });
  }
}

/**
 * Error of a step whose effect is done and whose result is gone: it must not be done again (I6).
 */
function erasedStep({ agent, delivery }: OpenTurn, step: string): PersonalDataErasedError {
  const name = agentName(agent);
  const { position } = delivery.input;
  return new PersonalDataErasedError(
    `The result of the step ${step} of ${name}, for the message at ${position}, was erased with the personal data in it: the turn cannot go on, and the effect does not happen again.`,
    { details: { agent: name, position, step } },
  );
}

/** The caller may change what it gets, and the next run must not see that. */
function ownCopy(value: unknown): unknown {
  return storedCopy(value, "The result of a step");
}
