/**
 * The log port: everything the engine needs from a durable log, in terms of agents, inputs, turns
 * and positions.
 *
 * Two implementations hold one contract suite: JetStream, and memory for tests and simulation. The
 * rules the engine relies on:
 *
 *  LOG-1 `accept` and `commit` resolve only after the log stored everything (I1).
 *  LOG-2 `commit` stores all of its turns with everything they send, or nothing (I3),
 *     each record followed at once by its turn's messages, in order, so that the record says
 *     where they lie; a turn is stored only while its `expectedRevision` is the journal's last
 *     (I5). That makes it happen once; the ids of what it sends are kept but compared with nothing,
 *     so that a stranger's message with the same id cannot stop a turn. The turns of a commit are
 *     of one shard. A message that a turn sends into another shard lies in that place as something
 *     else, and becomes an input there once, in the order in which it was sent.
 *  LOG-3 A reader hands over the inputs of its partition in log order, without a gap, each at most
 *     once, whatever happens to connections in between. It never hands over more than the credit it
 *     was granted, in inputs and in bytes (I7).
 *  LOG-4 Two readers of one partition are independent: each sees every input.
 *  LOG-5 A reply, an ask's cancellation, what turns wait for, a presence announcement, a hint that
 *        a cell changed, a floor and a snapshot may be lost; nothing else may.
 *  LOG-6 A timer that a commit set becomes an input of its target at its time or a little later,
 *     also when the log was down then, once per firing. After a commit that cancels or replaces it,
 *     no new firing begins; one that had begun before may still be stored.
 *  LOG-7 A cell changes only where `writeCell` names its last revision: of several writers that
 *     read the same one, exactly one succeeds. A reader may be a moment behind; a writer that was
 *     is refused.
 *  LOG-8 A read may be answered by a replica that is a moment behind: it is a beginning of what is
 *     stored. A firm read has no gap, and ends only where there was nothing more when it was
 *     called. So "nothing there" decides something only when it is firm; a commit needs no firm
 *     read, because it is fenced (I5).
 *  LOG-9 An input of a foreign client is marked as foreign and says nothing about itself that only
 *     the engine can know (I14). It becomes an input while somebody reads the unroutable messages:
 *     once, in the order in which it was stored.
 *  LOG-10 A fenced `accept` stores only while its agent's journal ends at the named revision. Its
 *     refusal says nothing about an earlier attempt: that is known when it is repeated under the
 *     revision that holds.
 *  LOG-11 Nothing is removed but what a call names: records of one journal before one of its
 *     records, so that the last one always stays; inputs at an address before a position; one dead
 *     letter. All other entries keep their place, and no position is ever given to something else.
 *     The low-water mark is raised before anything is removed (low-water.ts).
 */
import type { TroupeError } from "../errors/troupe-error.ts";
import type { AgentId } from "../definition/message/address.ts";
import type { WaitReport } from "./ask-wait.ts";
import type { Cell } from "./cell.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { Holdings, LogPart } from "./holdings.ts";
import type { Accepted, Input, InputDraft, Position } from "../definition/message/input.ts";
import type { LogLimits } from "./log-limits.ts";
import type { KeyStore } from "./key-store.ts";
import type { Manifest, ManifestNames } from "./manifest.ts";
import type { LogEnd, Mark, StoredAt } from "./log-end.ts";
import type { Presence } from "./presence.ts";
import type { StorageReport } from "./storage-report.ts";
import type { TimerChange } from "../definition/message/timer.ts";

/** A turn as the log stores it. */
export interface TurnCommit {
  readonly agent: AgentId;
  /**
   * Position of the journal's last record, 0 for a new agent. `"chained"`: the record follows the
   * previous one of the same agent in this same commit.
   */
  readonly expectedRevision: Position | "chained";
  /** The encoded turn record, never empty. */
  readonly record: Uint8Array;
  readonly outgoing: readonly InputDraft[];
  readonly deadLetter?: DeadLetter | undefined;
  /** Timers of this agent that the turn sets and cancels. */
  readonly timers?: readonly TimerChange[] | undefined;
}

/** The place of inputs: one address, or all of an agent type or a topic. */
export interface InputPlace {
  readonly kind: "agent" | "topic";
  /** The agent type, or the topic. */
  readonly name: string;
  /** The agent's key, or the publication's source. @default all of them */
  readonly key?: string | undefined;
}

/** A stored turn record. Its revision is its position in the log. */
export interface JournalEntry {
  readonly revision: Position;
  readonly record: Uint8Array;
  readonly committedAtMs: number;
}

export interface ReadRequest {
  /**
   * A partition, or `unroutable`: foreign messages that nobody can be given, because their subject
   * is no address or what they say about themselves is not allowed. Reading them also takes in all
   * other foreign messages (LOG-9).
   */
  readonly source: number | "unroutable";
  /**
   * Only inputs addressed to agents of these types, and to `topics`; absent with them means
   * everything. It is a hint that saves the way: nothing of theirs is left out, and others may come
   * along.
   */
  readonly types?: readonly string[] | undefined;
  /** Only publications of these topics, besides what is for `types`. */
  readonly topics?: readonly string[] | undefined;
  /** The first input handed over is the first one after this position. */
  readonly after: Position;
  /** Number of inputs that may be handed over before `grant` is called. At least 1. */
  readonly credit: number;
  /**
   * Number of bytes, as `inputBytes` counts them, that may be handed over before `grant` gives some
   * back. An input that is larger is handed over when nothing else is held. @default no bound
   */
  readonly creditBytes?: number | undefined;
  /** Called in log order, never before `read` returns. Must not throw. */
  readonly onInput: (input: Input) => void;
  /**
   * Called now and then with a position up to which the log has none of the wanted inputs, besides
   * those that were handed over: a quiet source is known to be handled all the same. Never before
   * `read` returns. Must not throw.
   */
  readonly onPassed?: ((position: Position) => void) | undefined;
  /**
   * Called when what was handed over last is not on the log any more: it went back or was made anew
   * (I16). Nothing more is handed over.
   */
  readonly onLost?: ((error: TroupeError) => void) | undefined;
}

export interface Reader {
  /** Allow `count` more inputs, and so many bytes of those that were handed over. */
  grant(count: number, bytes: number): void;
  /** Stop the reader: no input is handed over any more. */
  stop(): Promise<void>;
}

/** An entry of the log, for people and tools who follow it. */
export type LogEntry =
  | { readonly kind: "input"; readonly input: Input }
  | { readonly kind: "turn"; readonly agent: AgentId; readonly entry: JournalEntry }
  | {
      readonly kind: "dead-letter";
      readonly position: Position;
      readonly deadLetter: DeadLetter;
      readonly storedAtMs: number;
    };

export interface FollowRequest {
  /** First position to show; `"new"` starts with what is stored from now on. */
  readonly from: Position | "new";
  /**
   * Instead of `from`, on a log of several shards: for each of them the position after which to
   * begin.
   */
  readonly after?: readonly Position[] | undefined;
  /**
   * Stop at the position that is the log's last when following starts, instead of waiting for more.
   */
  readonly untilNow?: boolean | undefined;
  /** Only topics of these names; absent means all. An empty list means none. */
  readonly topics?: readonly string[] | undefined;
  /** Only agents of these types; absent means all. An empty list means none. */
  readonly types?: readonly string[] | undefined;
  /** Only entries of these kinds; absent means all. An empty list means none. */
  readonly kinds?: readonly LogEntry["kind"][] | undefined;
  /**
   * Called when following starts and before each entry with how many matching entries come after
   * it, as far as the log knows. Must not throw.
   */
  readonly onPending?: ((count: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Position up to which an agent type was handled in a partition: all inputs at or before it are in
 * journals or dead letters.
 */
export interface Floor {
  readonly type: string;
  readonly partition: number | "unroutable";
  readonly position: Position;
  /**
   * An entry that was stored when everything up to `position` was handled, at or after the last
   * record that says so: the floor counts only while it is there (I16). A floor without one counts
   * for nothing.
   */
  readonly mark?: Mark | undefined;
  /**
   * The worker that holds the partition, with the session of its process. Absent after a release: a
   * holder that did not release it has died, or is cut off.
   */
  readonly holder?: FloorHolder | undefined;
  /**
   * Set by a release when an earlier holder died, and the inputs it may have died of are not all
   * handled.
   * @default false
   */
  readonly suspected?: boolean | undefined;
}

export interface FloorHolder {
  readonly worker: string;
  /** Identity of one start of the worker. */
  readonly session: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends CallOptions {
  /**
   * Ask the log's leader, so that an entry which the answer does not have was not stored by then
   * (LOG-8). Costs a round trip more. @default false
   */
  readonly firm?: boolean | undefined;
}

export interface AcceptOptions extends CallOptions {
  /** Store it only while the journal of this agent ends at this revision (LOG-10). */
  readonly fence?: { readonly agent: AgentId; readonly revision: Position } | undefined;
}

export type LogStatus = "connected" | "disconnected" | "closed";

export interface Log {
  /** The namespace, for messages to people. */
  readonly namespace: string;
  /**
   * Identity of the log: text that another log, also one that is made later under the same name,
   * does not have. It stays the same when the log is restored from a backup, and when `troupe move`
   * takes it into another namespace, because its positions stay the same as well. So a position
   * with it is known everywhere and for ever. It changes only when the log is made anew below a
   * connection, and is known by the time `end` says so.
   */
  readonly id: string;
  readonly partitions: number;
  /** Number of its shards, usually one. A partition lies in the shard of its number modulo this. */
  readonly shards: number;
  readonly limits: LogLimits;
  /** Store for the keys of personal data: beside the log, on its own. */
  readonly keys: KeyStore;

  /**
   * The time of day by the log's clock, or up to a moment before: never later, and it never goes
   * back. A time that is compared across processes, such as a deadline, is told by it, because the
   * clock of a process may be wrong.
   */
  nowMs(): number;

  /**
   * Store one message for an agent or a topic. Retries with the same id until the log answers,
   * `signal` fires or the log is closed. An id is one of its address: the same id to another agent
   * or topic is another message. @throws RevisionConflictError (the fence; nothing stored),
   * LogRefusedError, LogUnavailableError, PayloadTooLargeError, LogClosedError
   */
  accept(draft: InputDraft, options?: AcceptOptions): Promise<Accepted>;

  /**
   * Store turns of one shard, all or nothing; returns the position of each record.
   * @throws RevisionConflictError (nothing stored), LogUnavailableError (unknown), LogRefusedError
   * (nothing stored)
   */
  commit(turns: readonly TurnCommit[]): Promise<readonly Position[]>;

  /**
   * Store a dead letter for an input that has no journal. Storing the same position again changes
   * nothing.
   */
  bury(deadLetter: DeadLetter): Promise<void>;

  /** Remove the dead letter at this position. False when there is none (any more). */
  removeDeadLetter(position: Position): Promise<boolean>;

  /** Number and size of the entries of a part up to a position. @throws LogUnavailableError */
  holdings(part: LogPart, upTo: Position, options?: CallOptions): Promise<Holdings>;
  /**
   * Destroy a part up to a position (DESTROY-1 to DESTROY-3); returns how many messages that were.
   * @throws LogUnavailableError: do it again
   */
  destroy(part: LogPart, upTo: Position, options?: CallOptions): Promise<number>;

  /**
   * Remove the records of an agent that come before `before`, where the log's leader must have a
   * record of this same journal: so its last record, the fence, always stays (LOG-11). Returns how
   * many went. @throws LogRefusedError (nothing removed), LogUnavailableError (some may be)
   */
  truncateJournal(agent: AgentId, before: Position): Promise<number>;

  /**
   * Remove the records of all agents of a type that come before a position (LOG-11). The caller
   * knows that each of these agents has a record there or after it. Returns how many went.
   * @throws LogUnavailableError (some may be removed)
   */
  truncateJournals(type: string, before: Position): Promise<number>;

  /**
   * Remove the inputs of one place before a position, handled or not (LOG-11). Returns how many
   * went.
   * @throws InvalidKeyError, LogUnavailableError (some may be removed)
   */
  removeInputs(place: InputPlace, before: Position): Promise<number>;

  /**
   * Position of the first input after a position in one partition, of one type or topic where
   * `place` says so; undefined when the log's leader has none. @throws LogUnavailableError
   */
  firstInput(
    partition: number,
    after: Position,
    place?: Pick<InputPlace, "kind" | "name">,
  ): Promise<Position | undefined>;

  /**
   * Keys of the agents of a type whose journals lie in a partition, in no order, each once; also of
   * those that have ended or were erased. What comes or goes meanwhile may be left out.
   * @throws LogUnavailableError
   */
  keysOf(type: string, partition: number): Promise<readonly string[]>;

  /**
   * The records of an agent after `after` (0: all), in order, as many as the log returns at once;
   * empty at the end.
   */
  journal(agent: AgentId, after: Position, options?: ReadOptions): Promise<readonly JournalEntry[]>;

  /** The agent's last saved snapshot, as its bytes; undefined when there is none. */
  snapshot(agent: AgentId): Promise<Uint8Array | undefined>;
  /** Replace the agent's snapshot. @throws PayloadTooLargeError, LogUnavailableError */
  saveSnapshot(agent: AgentId, snapshot: Uint8Array): Promise<void>;

  /**
   * Inputs addressed to an agent, directly or through one of these topics, after and before these
   * positions, in log order; as many as the log returns at once, empty at the end.
   */
  inputsOf(
    agent: AgentId,
    topics: readonly string[],
    after: Position,
    before: Position,
    options?: ReadOptions,
  ): Promise<readonly Input[]>;

  /** The input at a position, or undefined when there is none (any more). */
  input(position: Position, options?: ReadOptions): Promise<Input | undefined>;

  /**
   * The entry at a position, of whatever kind; undefined when there is none. Answered by the log's
   * leader, never by a replica that may be behind. @throws LogUnavailableError
   */
  at(position: Position): Promise<StoredAt | undefined>;
  /** Identity of the log and its end, as the leader says. @throws LogUnavailableError */
  end(): Promise<LogEnd>;

  /**
   * Number and size of the entries that are kept, by kind. Reads samples: for people, not for every
   * turn.
   */
  storage(): Promise<StorageReport>;

  read(request: ReadRequest): Reader;

  follow(request: FollowRequest): AsyncIterable<LogEntry>;

  floors(): Promise<readonly Floor[]>;
  saveFloors(floors: readonly Floor[]): Promise<void>;

  /**
   * Add what a type handles to its manifest, which only grows; returns what it says now. Several
   * workers may do so at once, and nothing of any of them is lost.
   */
  register(manifest: Manifest): Promise<Manifest>;
  /**
   * Take names away from a type's manifest, on purpose: nothing waits any more for code that
   * handles them. Returns what is left; undefined when the type was never registered.
   */
  forget(type: string, names: Partial<ManifestNames>): Promise<Manifest | undefined>;
  manifest(type: string, options?: ReadOptions): Promise<Manifest | undefined>;
  manifests(options?: ReadOptions): Promise<readonly Manifest[]>;

  /** A cell's last value; undefined when it was never written. @throws LogUnavailableError */
  cell(name: string, options?: ReadOptions): Promise<Cell | undefined>;
  /**
   * Replace a cell's value if its revision is still this one, 0 for a cell that was never written;
   * returns the new revision. @param name any text that can be a key. @throws RevisionConflictError
   * (nothing stored), LogUnavailableError (unknown), PayloadTooLargeError
   */
  writeCell(name: string, value: Uint8Array, expectedRevision: Position): Promise<Position>;
  /**
   * Hear the revisions of a cell that were written since, also by oneself. They may be lost (LOG-5)
   * and come in any order. Returns the function that ends it.
   */
  onCell(name: string, listener: (revision: Position) => void): () => void;

  announce(presence: Presence): void;
  /** Hear announcements, also one's own. Returns the function that ends it. */
  onPresence(listener: (presence: Presence) => void): () => void;
  /**
   * Whether anybody still answers for a worker that announced itself. False only when that is
   * certain: its process is gone or said goodbye. A worker that is merely slow, paused or cut off
   * counts as alive here.
   */
  probe(worker: string): Promise<boolean>;

  /** A new address for replies to this process; every call gives another one. */
  replyAddress(): string;
  /** Send a reply; it may be lost (LOG-5). */
  reply(replyTo: string, payload: Uint8Array): void;
  /** Hear replies to any of this process's reply addresses. Returns the function that ends it. */
  onReply(listener: (replyTo: string, payload: Uint8Array) => void): () => void;

  /** Tell all workers what turns here are waiting for; it may be lost (LOG-5). */
  announceWaits(report: WaitReport): void;
  /** Hear what turns are waiting for, also one's own. Returns the function that ends it. */
  onWaits(listener: (report: WaitReport) => void): () => void;

  /** Tell all workers that nobody waits for the reply to this address; it may be lost (LOG-5). */
  cancelAsk(replyTo: string): void;
  /** Hear of asks that were given up. Returns the function that ends it. */
  onAskCancelled(listener: (replyTo: string) => void): () => void;

  onStatus(listener: (status: LogStatus) => void): () => void;
  /**
   * Hear of trouble that no call reports, such as a stored record that cannot be read and was left
   * out. `what` says what the log was doing. Returns the function that ends it.
   */
  onFault(listener: (what: string, thrown: unknown) => void): () => void;
  /** Resolves after everything written so far left this process. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
