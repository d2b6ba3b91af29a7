/**
 * Counting the runs that end with their process: out of memory, a native crash, `process.exit`, an
 * endless loop. Such a run leaves no word, so it is written down that it begins.
 *
 *  RUN-1 It costs nothing as long as nobody dies: only inputs that the dead holder of a partition
 *     may have had (see engine/runtime/suspicion.ts) are written down, once in a process, in the
 *     journal and under its fence, before their handler is called. The next owner finds in the tail
 *     that it reads anyway how many processes ended during their runs.
 *  RUN-2 These runs count as attempts. When a message has ended `deathsMax` processes it is given
 *     up by its policy, with an error that names it: one message ends `deathsMax` + 1 processes,
 *     because the first run was not written down.
 *  RUN-3 A message during whose run a process ended runs alone among such messages. So an innocent
 *     one that ran beside the culprit is counted once at most.
 *  RUN-4 A run that was given back ended without its process; that is written down, too. Resuming a
 *     parked agent begins a new count.
 */
import { LogUnavailableError } from "../../errors/log-errors.ts";
import { ProcessDiedError } from "../../errors/message-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { errorData } from "../../errors/troupe-error.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import type { StepRecord } from "../../journal/step-record.ts";
import { encodeStepRecord } from "../../journal/step-record.ts";
import type { Turn } from "../turn/turn.ts";
import type { Suspicion } from "../runtime/suspicion.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { MailboxHost } from "./mailbox-host.ts";
import type { Uncommitted } from "./uncommitted.ts";

interface CountedMailbox {
  readonly agent: AgentId;
  readonly epoch: number;
}

export class RunCounting {
  readonly #mailbox: CountedMailbox;
  readonly #host: MailboxHost;
  readonly #history: AgentHistory;
  readonly #suspicion: Suspicion;
  /** Line in which its records go behind all that are on their way to the log, and alone. */
  readonly #line: Pick<Uncommitted, "between">;
  readonly #name: string;
  /** The input whose run is in the lane. */
  #inLane: Position | undefined;
  /** The input whose run was written down here. */
  #begun: Position | undefined;
  #endWait: (() => void) | undefined;

  constructor(
    mailbox: CountedMailbox,
    host: MailboxHost,
    history: AgentHistory,
    suspicion: Suspicion,
    line: Pick<Uncommitted, "between">,
  ) {
    this.#mailbox = mailbox;
    this.#host = host;
    this.#history = history;
    this.#suspicion = suspicion;
    this.#line = line;
    this.#name = agentName(mailbox.agent);
  }

  /** Whether its run has to be written down before it begins. */
  concerns({ begin, input, forced }: Delivery): boolean {
    return begin !== "over" && forced === undefined && this.#suspicion.covers(input.position);
  }

  /** Enter the lane of such messages (RUN-3); `then` is called when a wait for it is over. */
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
    if (!this.#history.runsBegunOf(input.position).includes(session)) {
      const { epoch } = this.#mailbox;
      await this.#line.between(async () => {
        if (epoch !== this.#mailbox.epoch) throw interrupted();
        const startedAtMs = this.#host.clock.now();
        await this.#store({ inputPosition: input.position, begun: session, startedAtMs });
      });
    }
    this.#begun = input.position;
    delivery.begin = "over";
    if (deaths > 0) delivery.alone = true;
    return [delivery];
  }

  /** The agent is released: its last run here, if nothing came of it, ended without its process. */
  async end(): Promise<void> {
    // A message that was not handled here is not at work here any more.
    this.leave();
    const inputPosition = this.#begun;
    this.#begun = undefined;
    if (inputPosition === undefined) return;
    try {
      await this.#line.between(async () => {
        // Its turn may have been on its way to the log until now.
        if (this.#isOver(inputPosition)) return;
        await this.#store({ inputPosition, ended: this.#host.session });
      });
    } catch (thrown) {
      // It counts once too often: somebody else has the agent, or the log is away.
      const what = `end of a run of ${this.#name}`;
      this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
    }
  }

  /** Leaves the lane if its message is handled by now. */
  settle(): void {
    if (this.#inLane !== undefined && this.#isOver(this.#inLane)) this.leave();
  }

  /** Returns whether it waited for the lane. */
  cancelWait(): boolean {
    const endWait = this.#endWait;
    this.#endWait = undefined;
    endWait?.();
    return endWait !== undefined;
  }

  /** Leaves the lane, because no handler of this agent runs any more. */
  leave(): void {
    this.cancelWait();
    this.#inLane = undefined;
    this.#host.suspects.leave(this.#name);
  }

  /** Whether the message has its turn, or waits for the agent's resumption. */
  #isOver(position: Position): boolean {
    const { current, parked } = this.#history;
    return current.lastInput >= position || parked !== undefined;
  }

  #deathsOf({ position }: Input): number {
    return deathsIn(this.#history, position, this.#host.session);
  }

  async #store(
    mark: Pick<StepRecord, "inputPosition" | "begun" | "ended" | "startedAtMs">,
  ): Promise<void> {
    const { footing, identity, worker } = this.#host;
    const steps = { ...mark, log: identity.id, steps: [], worker };
    const record = encodeStepRecord(steps);
    const { agent } = this.#mailbox;
    const expectedRevision = this.#history.revision;
    const commit = { agent, expectedRevision, record, outgoing: [] };
    const revision = await footing.append(commit);
    this.#history.stepsStored(steps, revision, record.byteLength);
    this.#suspicion.recorded(revision);
  }
}

/** Calls `then` when the end of the agent's last run is written down, where that has to be. */
export async function afterEnd(runs: RunCounting | undefined, then: () => void): Promise<void> {
  await runs?.end();
  then();
}

/**
 * Counts the runs that ended with their processes as attempts (RUN-2). Returns why the turn is not
 * run any more; undefined when it may. Runs that an earlier owner wrote down count after a release,
 * too.
 */
export function processesDied(turn: Turn, history: AgentHistory): ProcessDiedError | undefined {
  if (!history.hasBegunRuns) return undefined;
  const { agent, delivery, host, message } = turn;
  const { attemptsMax, deathsMax } = turn.retry;
  const { position } = delivery.input;
  const deaths = deathsIn(history, position, host.session);
  if (deaths === 0 || deathsMax === Infinity) return undefined;
  delivery.attempts = Math.max(delivery.attempts, deaths);
  if (deaths < Math.min(deathsMax, attemptsMax)) return undefined;
  const name = agentName(agent);
  return new ProcessDiedError(
    `${deaths} worker processes ended while they handled ${message} of ${name} (message at ${position}), so it is not run again: look how they ended, correct the handler, then redrive the dead letter or resume the agent.`,
    { details: { agent: name, message, position, deaths } },
  );
}

function interrupted(): LogUnavailableError {
  return new LogUnavailableError("A commit before it failed: decide again from the journal.");
}

/** Processes that ended after they had begun to handle the input. */
function deathsIn(history: AgentHistory, position: Position, session: string): number {
  return history.runsBegunOf(position).filter((each) => each !== session).length;
}
