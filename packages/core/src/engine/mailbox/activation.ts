/**
 * Getting an agent's past into memory: at first use, and again whenever what is in memory may not
 * be what the journal says. Once a commit was stored the history is right, and this is not needed
 * any more. A journal that cannot be read keeps its own agent waiting, and no other
 * one: it is tried again for ever, with pauses.
 */
import type { ErrorData } from "../../errors/troupe-error.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import { encodeReply } from "../../journal/reply.ts";
import { storableFailure } from "../../journal/storable-failure.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import type { Delivery } from "../runtime/delivery.ts";
import type { MailboxHost } from "./mailbox-host.ts";
import type { Pause } from "./pause.ts";
import { backoffMs } from "../../definition/retry-policy.ts";

export class Activation {
  readonly #host: MailboxHost;
  readonly #agent: AgentId;
  readonly #history: AgentHistory;
  readonly #pause: Pause;
  readonly #waiting: () => readonly Delivery[];
  #done = false;
  #abandoned = false;
  #failures = 0;
  /** Starts from the journal since the last commit that was stored. */
  #restarts = 0;

  /** @param waiting what the agent has to do */
  constructor(
    host: MailboxHost,
    agent: AgentId,
    history: AgentHistory,
    { pause, waiting }: { readonly pause: Pause; readonly waiting: () => readonly Delivery[] },
  ) {
    this.#host = host;
    this.#agent = agent;
    this.#history = history;
    this.#pause = pause;
    this.#waiting = waiting;
  }

  /** The history is what the journal says, as far as is known. */
  get done(): boolean {
    return this.#done;
  }

  /** True once it has failed, until it has been tried again after a pause. */
  get failing(): boolean {
    return this.#failures > 0 || this.#restarts >= 2;
  }

  /** Read the journal; `then` is called when that succeeded, or should be tried again. */
  run(then: () => void): void {
    // The first time at once; when commits keep failing, with pauses.
    if (this.#restarts < 2) this.#load(then);
    else this.#pause.start(this.#delayMs(this.#restarts - 1), () => this.#load(then));
  }

  /** The journal may say something else now. */
  restart(): void {
    this.#done = false;
    this.#restarts += 1;
  }

  abandon(): void {
    this.#abandoned = true;
  }

  #load(then: () => void): void {
    const { clock, feed } = this.#host;
    const startedAtMs = clock.monotonicMs();
    this.#read().then(
      () => {
        this.#done = true;
        this.#failures = 0;
        const activatedAtMs = clock.now();
        for (const delivery of this.#waiting()) delivery.activatedAtMs = activatedAtMs;
        if (feed.active) {
          const tookMs = clock.monotonicMs() - startedAtMs;
          const { turns } = this.#history.current;
          feed.emit({ kind: "agent.activated", agent: this.#agent, turns, tookMs });
        }
        then();
      },
      (thrown: unknown) => this.#failed(thrown, then),
    );
  }

  /** A log that failed may be another one when it is back: then nothing is stored on it (I16). */
  async #read(): Promise<void> {
    const { footing } = this.#host;
    if (footing.inDoubt || this.#restarts + this.#failures > 0) await footing.marks();
    await this.#history.load();
  }

  /** The key waits, the others go on: an unreadable journal must not lose its messages. */
  #failed(thrown: unknown, then: () => void): void {
    if (this.#abandoned) return;
    const what = `activation of ${agentName(this.#agent)}`;
    const failure = errorData(thrown);
    this.#host.feed.emit({ kind: "fault", what, failure });
    this.#tellAskers(failure);
    this.#failures += 1;
    this.#pause.start(this.#delayMs(this.#failures), then);
  }

  /**
   * Tells the askers of the waiting messages, which wait in vain until somebody repairs the journal
   * (I17).
   */
  #tellAskers(failure: ErrorData): void {
    const payload = encodeReply({ note: storableFailure(failure) });
    for (const { input } of this.#waiting().slice(0, toldMax)) {
      const { replyTo } = input.metadata;
      if (replyTo !== undefined) this.#host.log.reply(replyTo, payload);
    }
  }

  #delayMs(attempts: number): number {
    return backoffMs(this.#host.retry, attempts, this.#host.random);
  }
}

/** Askers that are told each time. */
const toldMax = 100;
