/**
 * The sweep: finds what may go of agents that nobody talks to any more. Whatever is active is found
 * by its own commits.
 *
 * It follows the journals of a worker's types from the beginning, as fast as the collector's pace
 * allows, up to where nothing is beyond its age. What it sees of an agent is the oldest that is
 * kept of it. Where a base record comes after old records, what lies before it may go; where there
 * is none and nothing came after them, the agent gets one.
 */
import type { Clock } from "../clock/clock.ts";
import { RevisionConflictError } from "../errors/log-errors.ts";
import { errorData } from "../errors/troupe-error.ts";
import type { AgentId } from "../log/address.ts";
import { agentName } from "../log/address.ts";
import type { Position } from "../log/input.ts";
import type { Log, LogEntry } from "../log/log.ts";
import type { HistoryHost } from "../mailbox/agent-history.ts";
import { AgentHistory } from "../mailbox/agent-history.ts";
import { decodeJournalRecord } from "../turn/journal-record.ts";
import type { AgentRuntime } from "../worker/agent-runtime.ts";
import type { BaseWriter } from "./base-writer.ts";
import { mayHaveBase } from "./base-writer.ts";
import type { CollectorSettings } from "./collector-settings.ts";
import type { Collector } from "./collector.ts";
import type { KnownBase } from "./known-base.ts";
import { isBeyond } from "./removable.ts";

export interface SweepHost extends HistoryHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: CollectorSettings;
  readonly runtimes: ReadonlyMap<string, AgentRuntime>;
  readonly bases: Pick<BaseWriter, "append">;
  readonly collector: Pick<Collector, "add">;
  /** Whether this worker holds the agent's partition. */
  readonly holds: (agent: AgentId) => boolean;
  /** Forget the agent if it is idle in memory; false when it is at work there. */
  readonly rests: (name: string) => boolean;
}

/** What was seen of an agent, all of it old. */
interface Old {
  readonly agent: AgentId;
  /** The last record that was seen. */
  last: Position;
  storedAtMs: number;
  records: number;
  /** The last base record that was seen, if something lies before it. */
  base: Pick<KnownBase, "lastInput" | "revision" | "turns"> | undefined;
  /** The last record is a base record. */
  isBased: boolean;
}

export class Sweep {
  readonly #host: SweepHost;
  readonly #types: readonly string[];
  readonly #stopping = new AbortController();
  #lastMs: number;

  constructor(host: SweepHost) {
    this.#host = host;
    const { runtimes } = host;
    this.#types = [...runtimes.values()]
      .filter(({ definition }) => goesByTime(definition.keeps))
      .map(({ type }) => type);
    this.#lastMs = host.clock.monotonicMs();
  }

  /** Some type has a rule by which something goes without a further turn. */
  get isNeeded(): boolean {
    return this.#types.length > 0;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Sweep if it is time. */
  async run(): Promise<void> {
    const { clock, settings } = this.#host;
    const nowMs = clock.monotonicMs();
    if (!this.isNeeded || nowMs - this.#lastMs < settings.sweepMs) return;
    this.#lastMs = nowMs;
    try {
      await this.#sweep();
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return;
      this.#host.feed.emit({ kind: "fault", what: "retention", failure: errorData(thrown) });
    }
  }

  async #sweep(): Promise<void> {
    const { log, settings } = this.#host;
    const { signal } = this.#stopping;
    const seen = new Map<string, Old>();
    const recordsAtOnce = settings.agentsPerSecond;
    let records = 0;
    const request = { from: 1, untilNow: true, kinds: ["turn"], types: this.#types } as const;
    for await (const entry of log.follow({ ...request, signal })) {
      if (entry.kind !== "turn") continue;
      records += 1;
      if (records % recordsAtOnce === 0) await this.#pause(pauseMs);
      if (this.#isYoung(entry.entry.committedAtMs)) break;
      if (this.#host.holds(entry.agent)) this.#see(seen, entry);
      if (seen.size >= seenMax) await this.#decide(seen);
    }
    await this.#decide(seen);
  }

  /** Nothing of any type is beyond its age from here on. */
  #isYoung(storedAtMs: number): boolean {
    const nowMs = this.#host.log.nowMs();
    return this.#types.every((type) => {
      const rule = this.#host.runtimes.get(type)?.definition.keeps;
      return rule?.ageMs !== undefined && nowMs - storedAtMs < rule.ageMs;
    });
  }

  #see(
    seen: Map<string, Old>,
    { agent, entry }: Extract<LogEntry, { readonly kind: "turn" }>,
  ): void {
    const rule = this.#host.runtimes.get(agent.type)?.definition.keeps;
    if (rule === undefined) return;
    const name = agentName(agent);
    const { committedAtMs: storedAtMs, record, revision } = entry;
    const decoded = decodeJournalRecord(record);
    const nowMs = this.#host.log.nowMs();
    const base = decoded.kind === "base" ? decoded.base : undefined;
    const isOld = rule.ageMs === undefined || nowMs - storedAtMs >= rule.ageMs;
    const mayGo =
      base !== undefined &&
      (rule.after !== "ended" || base.ended !== undefined) &&
      nowMs - storedAtMs >= this.#host.settings.settleMs &&
      isBeyond(rule, base, 0, nowMs);
    if (!isOld && !mayGo) return;
    let old = seen.get(name);
    if (old === undefined) {
      old = { agent, last: 0, storedAtMs: 0, records: 0, base: undefined, isBased: false };
      seen.set(name, old);
    }
    const isFirst = old.records === 0;
    if (mayGo && !isFirst) {
      old.base = { lastInput: base.lastInput, revision, turns: base.turns };
    }
    old.last = revision;
    old.storedAtMs = storedAtMs;
    old.records += 1;
    old.isBased = base !== undefined;
  }

  async #decide(seen: Map<string, Old>): Promise<void> {
    for (const [name, { agent, base, isBased, last, storedAtMs }] of seen) {
      if (this.#stopping.signal.aborted) return;
      const rule = this.#host.runtimes.get(agent.type)?.definition.keeps;
      if (base !== undefined) this.#host.collector.add(agent, base);
      else if (!isBased && rule?.after !== "ended" && rule?.ageMs !== undefined) {
        await this.#giveBase(name, { agent, last, storedAtMs });
        await this.#pause(1000 / this.#host.settings.agentsPerSecond);
      }
    }
    seen.clear();
  }

  /** All that the journal has is old: it gets a base record, behind which that goes next time. */
  async #giveBase(
    name: string,
    { agent, last, storedAtMs }: Pick<Old, "agent" | "last" | "storedAtMs">,
  ): Promise<void> {
    const { bases, feed, rests, runtimes } = this.#host;
    const runtime = runtimes.get(agent.type);
    if (runtime === undefined || !rests(name)) return;
    try {
      const history = new AgentHistory(this.#host, runtime, agent);
      await history.load();
      if (history.revision !== last || !mayHaveBase(history)) return;
      await bases.append(history, storedAtMs);
    } catch (thrown) {
      // A message came for it: it is active.
      if (thrown instanceof RevisionConflictError) return;
      feed.emit({ kind: "fault", what: `retention of ${name}`, failure: errorData(thrown) });
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#host.clock.after(delayMs, resolve));
  }
}

/** Whether an agent may have something to go without a further turn. */
function goesByTime(rule: AgentRuntime["definition"]["keeps"]): boolean {
  return rule !== undefined && (rule.ageMs !== undefined || rule.after === "ended");
}

/** Agents that are remembered while their journals pass by (I7). */
const seenMax = 10_000;
/** After as many records as agents are allowed in a second, which cost far less than these. */
const pauseMs = 50;
