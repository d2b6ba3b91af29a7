/**
 * Parts that the contract suite needs from an implementation of the log port.
 *
 * A harness is one empty log with everything around it. The suite asks for a new one per check, so
 * an implementation may share an expensive server and give every harness a namespace of its own.
 */
import type { Address, Log } from "@troupe/core/log";

export interface LogHarness {
  /** Number of shards of its log. @default 1 */
  readonly shards?: number;
  /** Time a check waits for something that must happen, in milliseconds. @default 10000 */
  readonly patienceMs?: number;
  /** A new connection to the same storage, as another process would have it. */
  connect(): Promise<Log>;
  /**
   * Publish a bare payload as a client that knows nothing of Troupe does. `token` is the last part
   * of the public address exactly as written there, also when no key has it. Resolves when it is
   * stored.
   */
  publishForeign(
    kind: Address["kind"],
    name: string,
    token: string,
    payload: Uint8Array,
  ): Promise<void>;
  /**
   * Store a message where ours are, at something that is not an address. Resolves when it is
   * stored.
   */
  publishUnroutable(): Promise<void>;
  /**
   * Restart the broker; the log survives. Resolves when it runs again. Absent: checks that need it
   * are skipped.
   */
  restart?(): Promise<void>;
  /**
   * Make the broker unreachable for all connections. Resolves when it is; the function it gives
   * ends the outage. Absent: checks that need it are skipped.
   */
  beginOutage?(): Promise<() => Promise<void>>;
  /** Close all connections and remove the log. */
  stop(): Promise<void>;
}

/** A feature that a check cannot do without. */
export type HarnessFeature = "restart" | "beginOutage";

/** A rule of the port: rejects when the log behind the harness breaks it. */
export interface LogCheck {
  readonly name: string;
  readonly needs?: HarnessFeature;
  /**
   * Set when the check commits turns of several agents together, or says in which order their
   * entries lie, which holds within a shard only.
   */
  readonly oneShard?: true;
  readonly run: (harness: LogHarness) => Promise<void>;
}
