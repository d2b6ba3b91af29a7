/**
 * Counting the runs that end with their process: out of memory, a native crash, `process.exit`, an
 * endless loop. Such a run leaves no word, so it is written down that it begins.
 *
 *  R1 It costs nothing as long as nobody dies: only inputs that the dead holder of a partition may have had (see
 *     worker/suspicion.ts) are written down, once in a process, in the journal and under its fence, before their handler
 *     is called. The next owner finds in the tail that it reads anyway how many processes ended during their runs.
 *  R2 These runs count as attempts. When a message has ended `deathsMax` processes it is given up by its policy, with an
 *     error that names it: one message ends `deathsMax` + 1 processes, because the first run was not written down.
 *  R3 A message during whose run a process ended runs alone among such messages. So an innocent one that ran beside the
 *     culprit is counted once at most.
 *  R4 A turn that was released is no suspect, and resuming a parked agent begins a new count.
 */
import { LogUnavailableError } from "../errors/log-errors.ts";
import { ProcessDiedError } from "../errors/message-errors.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { Input, Position } from "../log/input.ts";
import { encodeStepRecord } from "../turn/step-record.ts";
import type { Turn } from "../turn/turn.ts";
import type { Suspicion } from "../worker/suspicion.ts";
import type { AgentHistory } from "./agent-history.ts";
import type { Delivery } from "./delivery.ts";
import type { MailboxHost } from "./mailbox-host.ts";

interface CountedMailbox {
  readonly agent: AgentId;
  readonly epoch: number;
  allCommitted(): Promise<void>;
}

export class RunCounting {
  readonly #mailbox: CountedMailbox;
  readonly #host: MailboxHost;
  readonly #history: AgentHistory;
  readonly #suspicion: Suspicion;
  readonly #name: string;
  /** The input whose run is in the lane. */
  #inLane: Position | undefined;
  #endWait: (() => void) | undefined;

  constructor(
    mailbox: CountedMailbox,
    host: MailboxHost,
    history: AgentHistory,
    suspicion: Suspicion,
  ) {
    this.#mailbox = mailbox;
    this.#host = host;
    this.#history = history;
    this.#suspicion = suspicion;
    this.#name = agentName(mailbox.agent);
  }

  /** Whether its run has to be written down before it begins. */
  concerns({ begin, input, verdict }: Delivery): boolean {
    return begin !== "stored" && verdict === undefined && this.#suspicion.covers(input.position);
  }

  /** Enter the lane of such messages (R3); `then` is called when a wait for it is over. */
  enter({ input }: Delivery, then: () => void): boolean {
    const alone = this.#deathsOf(input) > 0;
    const { suspects } = this.#host;
    if (suspects.enter(this.#name, alone)) {
      this.#inLane = input.position;
      return true;
    }
    this.#endWait = suspects.wait(this.#name, alone, () => {
      this.#endWait = undefined;
      this.#inLane = input.position;
      then();
    });
    return false;
  }

  /** The run is written down. @throws what the log's commit throws */
  async begin(delivery: Delivery): Promise<readonly Delivery[]> {
    delivery.begin = "coming";
    const { input } = delivery;
    const { session } = this.#host;
    const deaths = this.#deathsOf(input);
    if (!this.#history.runsBegunOf(input.position).includes(session)) await this.#store(input);
    delivery.begin = "stored";
    delivery.deaths = deaths;
    if (deaths > 0) delivery.alone = true;
    return [delivery];
  }

  /** What was in the lane may be handled by now. */
  settle(): void {
    const { current, parked } = this.#history;
    if (this.#inLane === undefined) return;
    if (current.lastInput >= this.#inLane || parked !== undefined) this.leave();
  }

  /** Returns whether it waited for the lane. */
  cancelWait(): boolean {
    const endWait = this.#endWait;
    this.#endWait = undefined;
    endWait?.();
    return endWait !== undefined;
  }

  /** Nothing of this agent runs any more. */
  leave(): void {
    this.cancelWait();
    this.#inLane = undefined;
    this.#host.suspects.leave(this.#name);
  }

  /** Processes that ended after they had begun to handle it. */
  #deathsOf({ position }: Input): number {
    const { session } = this.#host;
    return this.#history.runsBegunOf(position).filter((each) => each !== session).length;
  }

  async #store({ position: inputPosition }: Input): Promise<void> {
    const { epoch } = this.#mailbox;
    await this.#mailbox.allCommitted();
    if (epoch !== this.#mailbox.epoch) {
      throw new LogUnavailableError("A commit before it failed: decide again from the journal.");
    }
    const { log, session, worker } = this.#host;
    const steps = { inputPosition, steps: [], worker, begun: session };
    const record = encodeStepRecord(steps);
    const { agent } = this.#mailbox;
    const expectedRevision = this.#history.revision;
    const [revision = expectedRevision] = await log.commit([
      { agent, expectedRevision, record, outgoing: [] },
    ]);
    this.#history.stepsStored(steps, revision, record.byteLength);
    this.#suspicion.recorded(revision);
  }
}

/**
 * Counts the runs that ended with their processes as attempts (R2). Returns why the turn is not run
 * any more; undefined when it may.
 */
export function processesDied(turn: Turn): ProcessDiedError | undefined {
  const { deaths = 0, input } = turn.delivery;
  const { attemptsMax, deathsMax } = turn.retry;
  if (deaths === 0 || deathsMax === Infinity) return undefined;
  turn.delivery.attempts = Math.max(turn.delivery.attempts, deaths);
  if (deaths < Math.min(deathsMax, attemptsMax)) return undefined;
  const name = agentName(turn.agent);
  const { position } = input;
  return new ProcessDiedError(
    `${deaths} worker processes ended while they handled ${turn.message} of ${name} (message at ${position}), so it is not run again: look how they ended, correct the handler, then redrive the dead letter or resume the agent.`,
    { details: { agent: name, message: turn.message, position, deaths } },
  );
}
