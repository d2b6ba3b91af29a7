/**
 * The shared side of the memory log: the storage, what is not stored, and the faults a test asks
 * for.
 */
import { LogUnavailableError, RevisionConflictError } from "@troupe/core/errors";
import type {
  DeadLetter,
  Accepted,
  Position,
  Floor,
  Manifest,
  WaitReport,
  Presence,
} from "@troupe/core/log";
import type { MemoryBrokerSettings } from "./broker-options.ts";
import { Cells } from "./cells.ts";
import { Keys } from "./keys.ts";
import { Listeners } from "./listeners.ts";
import type { Schedule } from "./schedule.ts";
import type { StorableInput, StorableRules, StorableTurn } from "./storable.ts";
import { Storage, type JournalFence, type StorageOptions } from "./storage.ts";

/**
 * A fault of a commit: `lost-ack` stores it and does not say so, `unavailable` stores nothing and
 * does not say so, `conflict` answers that somebody else was first.
 */
export type CommitFault = "lost-ack" | "unavailable" | "conflict";

/**
 * Behaviour of calls other than `accept` during a pause: they wait for its end, or fail as after a
 * time-out.
 */
export type PausedCalls = "wait" | "fail";

/** A connection, as the server sees it. */
export interface ServerPeer {
  onPresence(presence: Presence): void;
  onAskCancelled(replyTo: string): void;
  onWaits(report: WaitReport): void;
  onReply(replyTo: string, payload: Uint8Array): void;
  onCell(name: string, revision: Position): void;
  onKey(name: string): void;
}

export class Server {
  readonly settings: MemoryBrokerSettings;
  readonly rules: StorableRules;
  readonly schedule: Schedule;
  readonly storage: Storage;
  readonly floors: Map<string, Floor> = new Map<string, Floor>();
  readonly snapshots: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  readonly manifests: Map<string, Manifest> = new Map<string, Manifest>();
  readonly cells: Cells;
  readonly keys: Keys = new Keys((name) => {
    for (const peer of this.peers.values()) peer.onKey(name);
  });
  readonly peers: Map<string, ServerPeer> = new Map<string, ServerPeer>();
  /** Told `true` when a pause begins and `false` when it ends. */
  readonly pauses: Listeners<[boolean]> = new Listeners<[boolean]>();
  /** Told when the log lost something. */
  readonly losses: Listeners<[]> = new Listeners<[]>();
  #paused: PausedCalls | undefined;
  /** Connections that announced a worker, by worker. */
  readonly #homes = new Map<string, string>();
  #commitFaults: CommitFault[] = [];
  #repliesToDrop = 0;
  #peersSoFar = 0;

  constructor(settings: MemoryBrokerSettings, outboxOf?: StorageOptions["outboxOf"]) {
    const { clock, duplicates, limits, partitions, schedule } = settings;
    this.settings = settings;
    this.rules = { limits, partitions };
    this.schedule = schedule;
    this.cells = new Cells(clock);
    this.storage = new Storage({
      clock,
      duplicates,
      commitMessagesMax: limits.commitMessagesMax,
      outboxOf,
    });
  }

  get paused(): PausedCalls | undefined {
    return this.#paused;
  }

  /** An id that no other connection has. */
  nextPeerId(name: string): string {
    this.#peersSoFar += 1;
    return `${name}#${this.#peersSoFar}`;
  }

  pause(calls: PausedCalls): void {
    const before = this.#paused;
    this.#paused = calls;
    if (before === undefined) this.pauses.tell(true);
  }

  resume(): void {
    if (this.#paused === undefined) return;
    this.#paused = undefined;
    this.pauses.tell(false);
  }

  failNextCommit(fault: CommitFault): void {
    this.#commitFaults.push(fault);
  }

  dropReplies(count: number): void {
    this.#repliesToDrop += count;
  }

  accept(input: StorableInput, fence?: JournalFence): Accepted {
    return this.storage.accept(input, fence);
  }

  commit(turns: readonly StorableTurn[]): readonly Position[] {
    const fault = this.#commitFaults.shift();
    if (fault === "unavailable") throw unavailable("commit");
    if (fault === "conflict") {
      throw new RevisionConflictError("Somebody else wrote first, because a test asked for it.");
    }
    const revisions = this.storage.commit(turns);
    if (fault === "lost-ack") throw unavailable("commit");
    return revisions;
  }

  bury(deadLetter: DeadLetter): void {
    this.storage.bury(deadLetter);
  }

  announce(presence: Presence, from: string): void {
    if (this.#paused !== undefined) return;
    if (presence.leaving) this.#homes.delete(presence.worker);
    else this.#homes.set(presence.worker, from);
    for (const peer of this.peers.values()) peer.onPresence(presence);
  }

  writeCell(name: string, value: Uint8Array, expectedRevision: Position): Position {
    const revision = this.cells.write(name, value, expectedRevision);
    for (const peer of this.peers.values()) peer.onCell(name, revision);
    return revision;
  }

  /** Whether the connection that announced this worker is still there. */
  probe(worker: string): boolean {
    const home = this.#homes.get(worker);
    return home !== undefined && this.peers.has(home);
  }

  announceWaits(report: WaitReport): void {
    if (this.#paused !== undefined) return;
    for (const peer of this.peers.values()) peer.onWaits(report);
  }

  cancelAsk(replyTo: string): void {
    if (this.#paused !== undefined) return;
    for (const peer of this.peers.values()) peer.onAskCancelled(replyTo);
  }

  reply(replyTo: string, payload: Uint8Array): void {
    if (this.#paused !== undefined) return;
    if (this.#repliesToDrop > 0) {
      this.#repliesToDrop -= 1;
      return;
    }
    this.peers.get(peerOf(replyTo))?.onReply(replyTo, payload);
  }
}

/** A reply address of a connection: `reply/name#1/7`. */
export function replyAddressOf(peer: string, count: number): string {
  return `reply/${peer}/${count}`;
}

/** The error of a call that got no answer. */
export function unavailable(call: string, cause?: unknown): LogUnavailableError {
  return new LogUnavailableError(
    `The log gave no answer to ${call}: whether it was done is unknown, read before trying again.`,
    { details: { call }, cause },
  );
}

function peerOf(replyTo: string): string {
  return replyTo.slice(replyTo.indexOf("/") + 1, replyTo.lastIndexOf("/"));
}
