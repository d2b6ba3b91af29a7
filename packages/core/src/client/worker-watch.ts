/**
 * Workers that can be heard, for an ask that nobody answers. It listens only while some ask is
 * slow.
 */
import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import type { Presence } from "../log/presence.ts";

/** Hosts that can be heard of one partition of an agent type. */
export interface HeardHosts {
  /** Workers that host the type. */
  readonly hosts: readonly string[];
  /** The one of them that holds the partition. */
  readonly holder: string | undefined;
}

export class WorkerWatch {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #slow = new Set<string>();
  readonly #heard = new Map<string, { readonly presence: Presence; readonly atMs: number }>();
  #sinceMs = 0;
  #unlisten: (() => void) | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** An ask is slow: listen until it is over. */
  begin(ask: string): void {
    this.#slow.add(ask);
    if (this.#unlisten !== undefined) return;
    this.#sinceMs = this.#clock.monotonicMs();
    this.#unlisten = this.#log.onPresence((presence) => this.#hear(presence));
  }

  end(ask: string): void {
    if (!this.#slow.delete(ask) || this.#slow.size > 0) return;
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#heard.clear();
  }

  /** Undefined as long as it did not listen for long enough to know. */
  hostsOf(type: string, partition: number): HeardHosts | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (this.#unlisten === undefined || nowMs - this.#sinceMs < listenedMsMin) return undefined;
    const hosting = [...this.#heard.values()]
      .filter(({ atMs }) => nowMs - atMs < silentMsMax)
      .map(({ presence }) => presence)
      .filter(({ holds }) => Object.hasOwn(holds, type));
    const holder = hosting.find(({ holds }) => holds[type]?.includes(partition) === true);
    return { hosts: hosting.map(({ worker }) => worker), holder: holder?.worker };
  }

  #hear(presence: Presence): void {
    const { leaving, worker } = presence;
    if (leaving) this.#heard.delete(worker);
    else if (this.#heard.size < workersMax || this.#heard.has(worker)) {
      this.#heard.set(worker, { presence, atMs: this.#clock.monotonicMs() });
    }
  }
}

/** Two heartbeats of the default, and the delay that a busy machine adds. */
const listenedMsMin = 1200;
/** Time for which a silent worker counts as alive by default. */
const silentMsMax = 2500;
const workersMax = 10_000;
