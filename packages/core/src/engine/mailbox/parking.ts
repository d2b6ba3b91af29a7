/**
 * Parking: a key whose message keeps failing is held back, and the others go on.
 *
 *  PARK-1 Parking is a record in the journal, so it holds for every worker and over restarts.
 *     Nothing waits in memory: later messages of a parked key stay on the log, and their positions
 *     are passed (I11).
 *  PARK-2 Resuming handles everything from the parked message on, in log order, from the log, page
 *     by page; only when nothing is left is the key resumed in the journal. After a crash in
 *     between the message that resumes is read again, and handled ones are recognised (I4).
 *  PARK-3 When the message fails again, the key stays parked, with the new failure.
 *  PARK-4 An owner that passes a message over, or ends a resumption, loses it when that was wrong.
 *     So before it does, the log's leader has confirmed that the agent is (still) parked, or that
 *     nothing is left. One answer is good for everything that had come by then: a resumption that
 *     ends later begins with a message that comes later.
 */
import { isErased } from "./erase-message.ts";
import { LogUnavailableError } from "../../errors/log-errors.ts";
import { AgentParkedError, Reject } from "../../errors/message-errors.ts";
import type { ErrorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { DeadLetter } from "../../log/dead-letter.ts";
import type { Input, InputDraft, Position } from "../../definition/message/input.ts";
import type { ParkRecord } from "../../journal/park-record.ts";
import { encodeParkRecord } from "../../journal/park-record.ts";
import { encodeReply } from "../../journal/reply.ts";
import type { Turn } from "../turn/turn.ts";
import { decodePayload, encodePayload } from "../../wire/payload.ts";
import type { Parked } from "../../journal/park-record.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import type { Delivery } from "../runtime/delivery.ts";
import { delivery as newDelivery, noPlace } from "../runtime/delivery.ts";
import type { MailboxHost } from "./mailbox-host.ts";

export interface ResumeOptions {
  /**
   * Give the parked message up: it becomes a dead letter, and the next one is handled.
   * @default false
   */
  readonly skip?: boolean;
}

/**
 * The message that resumes a parked agent, for `Log.accept`.
 *
 * @example
 * ```ts
 * await log.accept(resumeDraft({ type: "account", key: "alice" }, { skip: true }));
 * ```
 */
export function resumeDraft(agent: AgentId, { skip = false }: ResumeOptions = {}): InputDraft {
  return {
    address: { kind: "agent", name: agent.type, key: agent.key },
    metadata: { message: resumeMessage, contentType: "application/msgpack" },
    payload: encodePayload({ skip }),
  };
}

/** No message of an agent can have this name. */
const resumeMessage = "~resume";

/**
 * Whether an input only resumes its agent: the word of an operator, which no foreigner has (I14).
 *
 * @example
 * ```ts
 * if (isResume(input)) console.log("an operator resumes", input.address.key);
 * ```
 */
export function isResume({ address, metadata }: Input): boolean {
  const { foreign, message } = metadata;
  return message === resumeMessage && address.kind === "agent" && foreign !== true;
}

/** Whether an input is for the mailbox and not for a handler. */
export function isWord(input: Input): boolean {
  return isResume(input) || isErased(input);
}

/** The mailbox that is parked. */
interface ParkingMailbox {
  readonly agent: AgentId;
  readonly revision: Position;
  readonly epoch: number;
  /** Position of the last message that waits in its queue; 0 when none does. */
  readonly lastQueued: Position;
  allCommitted(): Promise<void>;
  /** Start again from what the journal says. */
  recover(): void;
  /**
   * Stops everything else in the mailbox until the work is done; then these come first in its
   * queue. When the work fails, the mailbox starts again from the journal with `redo`.
   */
  hold(what: string, work: Promise<readonly Delivery[]>, redo: Delivery): Promise<void>;
}

export class Parking {
  readonly #mailbox: ParkingMailbox;
  readonly #host: MailboxHost;
  readonly #history: AgentHistory;
  /** The park record whose deferred messages are being handled; 0 when there is none. */
  #resuming: Position = 0;
  /** Position up to which messages came while the leader said that the agent is parked (PARK-4). */
  #confirmedTo: Position = 0;

  constructor(mailbox: ParkingMailbox, host: MailboxHost, history: AgentHistory) {
    this.#mailbox = mailbox;
    this.#host = host;
    this.#history = history;
  }

  /** Whether messages are passed over and stay on the log. */
  get defers(): boolean {
    const { parked } = this.#history;
    return parked !== undefined && parked.revision !== this.#resuming;
  }

  /** The runs of this turn are used up, and its policy is to park (PARK-1, PARK-3). */
  park(turn: Turn, failure: ErrorData): void {
    const { agent, delivery } = turn;
    const { attempts, input } = delivery;
    const inputPosition = input.position;
    const { kind, name, key } = input.address;
    const told = new AgentParkedError(`${agentName(agent)} was parked: ${failure.message}`, {
      details: { failure },
    });
    const deadLetter: DeadLetter = {
      agent,
      inputPosition,
      origin: `${kind}/${name}/${key}`,
      failure: told.toData(),
      attempts,
      payload: input.payload,
      contentType: input.metadata.contentType,
    };
    const store = async (): Promise<readonly Delivery[]> => {
      const { earlierRuns } = turn;
      await this.#store(
        { parked: true, inputPosition, failure, attempts, earlierRuns },
        deadLetter,
      );
      this.#pass(delivery);
      return [];
    };
    void this.#mailbox.hold("parking", store(), delivery);
  }

  /** The message stays on the log, once it is certain that the agent is parked (PARK-4). */
  defer(delivery: Delivery): void {
    const { position } = delivery.input;
    if (position <= this.#confirmedTo) return this.#pass(delivery);
    const seenTo = Math.max(position, this.#mailbox.lastQueued);
    this.#whenFirm(delivery, () => {
      this.#confirmedTo = seenTo;
      this.#pass(delivery);
    });
  }

  /** Acts when the leader knows nothing more; otherwise the agent starts from its journal. */
  #whenFirm(delivery: Delivery, act: () => void): void {
    const confirm = async (): Promise<readonly Delivery[]> => {
      if (await this.#isBehind()) return [delivery];
      act();
      return [];
    };
    void this.#mailbox.hold("parking", confirm(), delivery);
  }

  /** The journal has more than is known here, and the agent starts again from it. */
  async #isBehind(): Promise<boolean> {
    await this.#mailbox.allCommitted();
    const { agent, revision } = this.#mailbox;
    const more = await this.#host.log.journal(agent, revision, { firm: true });
    if (more.length > 0) this.#mailbox.recover();
    return more.length > 0;
  }

  /** The message is passed; an asker that waits for its reply is told. */
  #pass({ input, place }: Delivery): void {
    const { parked } = this.#history;
    const { replyTo } = input.metadata;
    if (replyTo !== undefined && parked !== undefined) {
      const failure = parkedError(this.#mailbox.agent, parked).toData();
      this.#host.log.reply(replyTo, encodeReply({ failure }));
    }
    place.done();
  }

  /** A word to the agent itself: it is to be resumed, or was erased. */
  hear(word: Delivery): void {
    if (isResume(word.input)) return this.#resume(word);
    void this.#host.kept.erased(this.#mailbox.agent);
    void this.#mailbox.hold("erasure", this.#newLife(word), word);
  }

  /**
   * Messages that were deferred behind the tombstone, while the agent was still parked, belong to
   * the new life: an agent that is not parked any more is never resumed.
   */
  async #newLife(word: Delivery): Promise<readonly Delivery[]> {
    // The agent's knowledge is out of date, if the journal has more.
    if (await this.#isBehind()) return [word];
    const { position } = word.input;
    const inputs = this.#history.parked === undefined ? await this.#deferredBefore(position) : [];
    const nowMs = this.#host.clock.now();
    if (inputs.length > 0) return [...inputs.map((input) => waiting(input, nowMs)), word];
    word.place.done();
    return [];
  }

  /** Handle what was deferred before this message, then resume (PARK-2). */
  #resume(marker: Delivery): void {
    const { parked } = this.#history;
    if (parked === undefined) return this.#whenFirm(marker, () => marker.place.done());
    // It is older than the parking: meant for an earlier one, or the message has failed again.
    if (marker.input.position < parked.revision) return marker.place.done();
    const next = async (): Promise<readonly Delivery[]> => {
      // Rejects while the next one is for newer code: the resumption begins again, with pauses.
      const inputs = await this.#deferredBefore(marker.input.position);
      const skip = wantsSkip(marker.input);
      if (inputs.length > 0) {
        this.#resuming = parked.revision;
        const nowMs = this.#host.clock.now();
        return [...inputs.map((input) => deferredDelivery(input, parked, skip, nowMs)), marker];
      }
      const inputPosition = marker.input.position;
      await this.#store({ parked: false, inputPosition, attempts: 0 }, undefined);
      marker.place.done();
      return [];
    };
    void this.#mailbox.hold("resumption", next(), marker);
  }

  async #deferredBefore(before: Position): Promise<readonly Input[]> {
    await this.#mailbox.allCommitted();
    const { agent } = this.#mailbox;
    let after = this.#history.current.lastInput;
    for (;;) {
      const inputs = await this.#host.addressed.next(agent, after, before);
      const deferred = inputs.filter((input) => !isWord(input) && input.fault === undefined);
      const last = inputs.at(-1);
      if (deferred.length > 0 || last === undefined) return deferred;
      after = last.position;
    }
  }

  /** Write it behind everything that is not committed yet. */
  async #store(
    mark: Omit<ParkRecord, "log" | "worker">,
    deadLetter: DeadLetter | undefined,
  ): Promise<void> {
    const { epoch } = this.#mailbox;
    await this.#mailbox.allCommitted();
    if (epoch !== this.#mailbox.epoch) {
      throw new LogUnavailableError("A commit before it failed: decide again from the journal.");
    }
    const { feed, footing, identity, worker } = this.#host;
    const { agent, revision: expectedRevision } = this.#mailbox;
    const record: ParkRecord = { ...mark, log: identity.id, worker };
    const bytes = encodeParkRecord(record);
    const commit = { agent, expectedRevision, record: bytes, outgoing: [], deadLetter };
    const revision = await footing.append(commit);
    this.#history.parkStored(record, revision);
    const { failure, inputPosition, parked } = record;
    if (parked) feed.emit({ kind: "agent.parked", agent, inputPosition, failure });
    else feed.emit({ kind: "agent.resumed", agent, inputPosition });
  }
}

/** Error for an asker of a parked agent; its message is handled when the agent is resumed. */
function parkedError(agent: AgentId, { inputPosition, failure }: Parked): AgentParkedError {
  const name = agentName(agent);
  return new AgentParkedError(
    `${name} is parked since the message at ${inputPosition} failed (${failure.message}). Your message waits on the log: "troupe park resume ${name}" handles it.`,
    { details: { agent: name, inputPosition, failure } },
  );
}

function wantsSkip({ metadata, payload }: Input): boolean {
  try {
    const value = decodePayload(payload, metadata.contentType) as ResumeOptions | null;
    return value?.skip === true;
  } catch {
    return false;
  }
}

function deferredDelivery(input: Input, parked: Parked, skip: boolean, nowMs: number): Delivery {
  const skipped = skip && input.position === parked.inputPosition;
  const forced = skipped ? new Reject("skipped when its agent was resumed") : undefined;
  return { ...waiting(input, nowMs), forced };
}

/** A delivery whose asker was told that it waits. */
function waiting(input: Input, nowMs: number): Delivery {
  return { ...newDelivery(input, noPlace, nowMs), waits: true };
}
