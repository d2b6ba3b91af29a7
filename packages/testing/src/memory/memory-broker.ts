/**
 * A broker in memory: the log port without a server, for tests and simulation.
 *
 * `createMemoryBroker()` is the storage that outlives every process; `connect()` is one process's
 * way to it. Connections of one broker see the same log, so a test can run several workers, crash
 * one and watch the others. Every fault that can occur between a process and a real log is a method
 * here.
 */
import type { Address, Position, Log, LogEntry } from "@troupe/core/log";
import { brokerSettings, type MemoryBrokerOptions } from "./broker-options.ts";
import { memoryShards } from "./memory-shards.ts";
import { MemoryLog } from "./memory-log.ts";
import { replicaOf, type Replica } from "./replica.ts";
import { Server, type CommitFault, type PausedCalls } from "./server.ts";
import { foreignInput, unroutableInput } from "./storable.ts";

/** A process's connection to the log. */
export interface MemoryConnection extends Log {
  /** The connection's name, unique in its broker. */
  readonly name: string;
  /**
   * The process dies at once: nothing more is sent or received through this connection, not even
   * what is under way, and its pending calls never resolve.
   *
   * @example
   * ```ts
   * broker.connect("worker").crash();
   * ```
   */
  crash(): void;
  /**
   * Cut only this connection off the log: its readers stand still, its calls do as `options` say.
   * Messages that are not stored still pass: announcements, replies, hints.
   *
   * @example
   * ```ts
   * connection.cutOff();
   * ```
   */
  cutOff(options?: PauseOptions): void;
  /**
   * End the cut: the connection reaches the log again.
   *
   * @example
   * ```ts
   * connection.reconnect();
   * ```
   */
  reconnect(): void;
  /**
   * The process stands still, as after SIGSTOP: messages to it wait. Its timers are its own.
   *
   * @example
   * ```ts
   * connection.suspend();
   * ```
   */
  suspend(): void;
  /**
   * End the suspension: the process goes on, with all that was sent to it meanwhile.
   *
   * @example
   * ```ts
   * connection.wake();
   * ```
   */
  wake(): void;
}

export interface PauseOptions {
  /**
   * Behaviour of calls other than `accept` during the pause: they wait for its end, or fail with
   * LogUnavailableError as after a time-out; then also the answers are lost that are on their way
   * when the pause begins. `accept` always waits, and tries again. @default "wait"
   */
  readonly calls?: PausedCalls;
}

export interface MemoryBroker {
  /**
   * A new connection. `name` is for people; a number makes it unique. @default "connection"
   *
   * @example
   * ```ts
   * const log = broker.connect("client");
   * ```
   */
  connect(name?: string): MemoryConnection;
  /**
   * Entries stored so far, in log order: the entry at position p is at index p - 1.
   *
   * @example
   * ```ts
   * const deadLetters = broker.entries().filter(({ kind }) => kind === "dead-letter");
   * ```
   */
  entries(): readonly LogEntry[];
  /** A replica of the log that stores nothing from now on: a view of this moment. */
  replica(): Replica;

  /**
   * Cut all connections off the broker: readers stand still, replies and announcements are lost,
   * calls do as `options` say.
   *
   * @example
   * ```ts
   * broker.pause();
   * ```
   */
  pause(options?: PauseOptions): void;
  /**
   * The broker is there again: readers and calls that waited go on.
   *
   * @example
   * ```ts
   * broker.resume();
   * ```
   */
  resume(): void;
  /**
   * Let the next commit fail like this, whoever makes it. Called twice, it is about the next two.
   */
  failNextCommit(fault: CommitFault): void;
  /**
   * Lose the next `count` replies.
   *
   * @example
   * ```ts
   * broker.dropReplies(1);
   * ```
   */
  dropReplies(count: number): void;
  /**
   * The log loses everything after a position, as when its tail is lost or a backup is restored.
   * Data beside the log stays: floors, snapshots, manifests and cells.
   *
   * @example
   * ```ts
   * broker.goBack(100);
   * ```
   */
  goBack(last: Position): void;
  /**
   * The log loses everything and is another one, as when its stream is removed and made again.
   *
   * @example
   * ```ts
   * broker.makeAnew();
   * ```
   */
  makeAnew(): void;

  /**
   * A bare payload from a client that knows nothing of us. `token` is the key as it is written in
   * the address, also one that no key has. Returns its position.
   */
  publishForeign(kind: Address["kind"], name: string, token: string, payload: Uint8Array): Position;
  /** A message where ours are, at something that is not an address. Returns its position. */
  publishUnroutable(subject?: string, payload?: Uint8Array): Position;
}

/**
 * An empty log in memory.
 *
 * @example
 * ```ts
 * await using troupe = createTroupe(createMemoryBroker().connect());
 * await troupe.work(account);
 * ```
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const settings = brokerSettings(options);
  return settings.shards === 1 ? brokerOf(new Server(settings)) : memoryShards(settings);
}

function brokerOf(server: Server): MemoryBroker {
  const { rules, storage } = server;
  return Object.freeze<MemoryBroker>({
    connect: (name = "connection") => new MemoryLog(server, name),
    entries: () => storage.entries,
    replica: () => replicaOf(server),
    pause: ({ calls = "wait" } = {}) => server.pause(calls),
    resume: () => server.resume(),
    failNextCommit: (fault) => server.failNextCommit(fault),
    dropReplies: (count) => server.dropReplies(count),
    goBack: (last) => {
      server.storage.goBack(last);
      server.losses.tell();
    },
    makeAnew: () => {
      server.storage.makeAnew();
      server.losses.tell();
    },
    publishForeign: (kind, name, token, payload) =>
      storage.accept(foreignInput({ kind, name, token }, payload, rules)).position,
    publishUnroutable: (subject = "topic.two.tokens.too.many", payload = new Uint8Array()) =>
      storage.accept(unroutableInput(subject, payload, rules)).position,
  });
}
