/**
 * Step records on their way to the journal: behind everything of the agent that is not committed
 * yet, and under the same fence (I5, I6).
 */
import { TurnGivenBackError } from "../../errors/definition-errors.ts";
import { StepTooLargeError } from "../../errors/message-errors.ts";
import { TroupeError } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import { StepLedger } from "../turn/step-ledger.ts";
import type { Position } from "../../definition/message/input.ts";
import type { EarlierRun } from "../../journal/earlier-run.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import { encodeStepRecord } from "../../journal/step-record.ts";
import type { StepStore } from "../turn/turn-steps.ts";
import type { Turn } from "../turn/turn.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import type { MailboxHost } from "./mailbox-host.ts";
import type { Uncommitted } from "./uncommitted.ts";

type StepHost = Pick<MailboxHost, "footing" | "log">;

/** The mailbox whose turns take steps. */
interface SteppingMailbox {
  readonly agent: AgentId;
  /** Grows with every start from the journal. */
  readonly epoch: number;
  /** Start again from what the journal says. */
  recover(): void;
}

export class StepAppends implements StepStore {
  readonly #mailbox: SteppingMailbox;
  readonly #host: StepHost;
  readonly #history: AgentHistory;
  readonly #uncommitted: Uncommitted;
  /** Ledgers by the position of their input; several while a batch runs. */
  #ledgers: Map<Position, StepLedger> | undefined;

  constructor(
    mailbox: SteppingMailbox,
    host: StepHost,
    history: AgentHistory,
    uncommitted: Uncommitted,
  ) {
    this.#mailbox = mailbox;
    this.#host = host;
    this.#history = history;
    this.#uncommitted = uncommitted;
  }

  /** Ledger of a running turn: its steps, also those of earlier runs. */
  ledgerOf({ delivery, ended }: Turn): StepLedger {
    const { position } = delivery.input;
    // A turn that was given up may know old steps, which are not for its next run.
    if (ended) return new StepLedger(this.#history.stepsOf(position));
    this.#ledgers ??= new Map();
    const ledgers = this.#ledgers;
    const found = ledgers.get(position);
    if (found !== undefined) return found;
    const made = new StepLedger(this.#history.stepsOf(position));
    ledgers.set(position, made);
    return made;
  }

  /**
   * Turns were stored: their steps may be large, and an idle agent needs none of them (I7). The
   * asks that they left open are called back: nobody wants them.
   */
  handled(): void {
    const ledgers = this.#ledgers;
    if (ledgers === undefined) return;
    for (const [position, { asks }] of ledgers) {
      if (position > this.#history.current.lastInput) continue;
      ledgers.delete(position);
      asks.callBack();
    }
    if (ledgers.size === 0) this.#ledgers = undefined;
  }

  /** The journal decides again which steps there are. */
  forget(): void {
    // The runs that come now wait for the same asks, which they find on the log.
    const again = new TurnGivenBackError("The agent starts again from its journal.");
    for (const ledger of this.#ledgers?.values() ?? []) ledger.asks.end(again);
    this.#ledgers = undefined;
  }

  get revision(): Position {
    return this.#history.revision;
  }

  get mayBeBegun(): boolean {
    return !this.#history.advanced;
  }

  lost(): void {
    this.#mailbox.recover();
  }

  earlierRunsOf({ delivery, host }: Turn): readonly EarlierRun[] {
    return this.#history.earlierRunsOf(delivery.input.position, host.session);
  }

  get isSettled(): boolean {
    return this.#uncommitted.isSettled;
  }

  get isConfirmed(): boolean {
    return this.#history.confirmed;
  }

  settled(): Promise<void> {
    return this.#uncommitted.settled();
  }

  /**
   * Stores steps in as many records as it takes: a step that fits alone is not refused because of
   * its neighbours, and one that does not fit is refused alone (I7, I10).
   */
  async append(turn: Turn, steps: StepRecord): Promise<void> {
    const ledger = this.#ledgers?.get(steps.inputPosition);
    await this.#uncommitted.between(async () => {
      const waiting = [steps];
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const all = [next, ...waiting.toReversed()];
        await this.#ready(turn, ledger, all);
        this.#requireLive(turn, ledger, all);
        const refusal = await this.#store(turn, next, ledger);
        if (refusal === undefined) continue;
        // It was only to make the ground firm.
        if (next.steps.length === 0 && refusal instanceof Error) throw refusal;
        if (next.steps.length <= 1) ledger?.refused(next.steps, refusal);
        else waiting.push(...halvesOf(next).toReversed());
      }
      turn.requireLive();
    });
  }

  /** Makes ready the keys that the steps are sealed with. */
  async #ready(
    turn: Turn,
    ledger: StepLedger | undefined,
    waiting: readonly StepRecord[],
  ): Promise<void> {
    try {
      await turn.sealsIfAny?.ready();
    } catch (thrown) {
      this.#putBack(turn, ledger, waiting);
      throw thrown;
    }
  }

  #requireLive(turn: Turn, ledger: StepLedger | undefined, waiting: readonly StepRecord[]): void {
    try {
      turn.requireLive();
    } catch (thrown) {
      this.#putBack(turn, ledger, waiting);
      throw thrown;
    }
  }

  /**
   * Takes back steps that were not stored: the next run of the handler must not take them for
   * recorded (I6).
   */
  #putBack({ delivery }: Turn, ledger: StepLedger | undefined, all: readonly StepRecord[]): void {
    const current = this.#ledgers?.get(delivery.input.position);
    if (ledger === current) ledger?.putBack(all.flatMap((record) => record.steps));
  }

  /**
   * Returns why the log will never take the record. Rejects when nobody knows what became of it.
   */
  async #store(turn: Turn, all: StepRecord, ledger: StepLedger | undefined): Promise<unknown> {
    const { agent, epoch } = this.#mailbox;
    const expectedRevision = this.#history.revision;
    const known = this.earlierRunsOf(turn);
    const earlierRuns = all.earlierRuns?.filter((each) => !known.includes(each));
    const steps = { ...all, earlierRuns };
    const record = encodeStepRecord(turn.sealsIfAny?.steps(steps) ?? steps);
    if (record.byteLength > this.#host.log.limits.payloadBytesMax) {
      return this.#tooLarge(steps, record.byteLength);
    }
    let revision: Position;
    try {
      const commit = { agent, expectedRevision, record, outgoing: [] };
      revision = await this.#host.footing.append(commit);
    } catch (thrown) {
      if (!(thrown instanceof TroupeError && thrown.retryable)) return thrown;
      // Somebody else wrote, or nobody knows: start again from what the journal says.
      if (epoch === this.#mailbox.epoch) this.#mailbox.recover();
      turn.requireLive();
      throw thrown;
    }
    // Also when its turn failed meanwhile: later records follow these steps.
    ledger?.recorded(steps.steps);
    if (epoch === this.#mailbox.epoch) {
      this.#history.stepsStored(steps, revision, record.byteLength);
    }
    return undefined;
  }

  #tooLarge({ steps, inputPosition }: StepRecord, bytes: number): StepTooLargeError {
    const name = agentName(this.#mailbox.agent);
    const { payloadBytesMax } = this.#host.log.limits;
    const step = steps[0]?.name ?? "";
    return new StepTooLargeError(
      `The result of the step ${step} of ${name}, in its turn on the message at ${inputPosition}, makes a record of ${bytes} bytes; the log takes ${payloadBytesMax}. Its effect is done and not recorded: store the content elsewhere and return a reference.`,
      { details: { agent: name, position: inputPosition, step, bytes, payloadBytesMax } },
    );
  }
}

function halvesOf(record: StepRecord): readonly StepRecord[] {
  const { steps } = record;
  const middle = Math.ceil(steps.length / 2);
  return [steps.slice(0, middle), steps.slice(middle)].map((half) => ({ ...record, steps: half }));
}
