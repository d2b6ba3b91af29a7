/**
 * The sweep: one pass over the journals of a worker's types, which finds the records that may go of
 * agents that nobody talks to any more, and the part of a type that may go at once. An active agent
 * is found by its own commits.
 *
 * It runs now and then, and whenever so much has come that reading all of it is worth it. An agent
 * whose turns are all beyond its age gets a base record at the end, behind which the rest goes the
 * next time; so it does not keep others from going either.
 */
import type { Archive } from "../../log/archive/archive-port.ts";
import type { Clock } from "../../clock/clock.ts";
import { RevisionConflictError } from "../../errors/log-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log, LogEntry } from "../../log/log.ts";
import type { HistoryHost } from "../history/agent-history.ts";
import { AgentHistory } from "../history/agent-history.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { BaseWriter } from "./base-writer.ts";
import { mayHaveBase } from "./base-writer.ts";
import type { Counted } from "./census.ts";
import { Census } from "./census.ts";
import type { CollectorSettings } from "./collector-settings.ts";
import type { Collector, Look } from "./collector.ts";
import { removePrefix } from "./prefix.ts";
import { removableBase } from "./removable.ts";
import { rest } from "./rest.ts";

export interface SweepHost extends Omit<HistoryHost, "footing"> {
  readonly log: Log;
  readonly archive: Pick<Archive, "keep"> | undefined;
  readonly clock: Clock;
  readonly footing: Pick<LogFooting, "marks" | "read">;
  readonly settings: CollectorSettings;
  readonly runtimes: ReadonlyMap<string, AgentRuntime>;
  readonly bases: Pick<BaseWriter, "append" | "stored">;
  readonly collector: Pick<Collector, "add" | "look" | "passed" | "waiting">;
  /** Whether this worker holds the agent's partition. */
  readonly holds: (agent: AgentId) => boolean;
  /**
   * The part of a type's partitions that this worker holds, and whether the first is among them.
   */
  readonly shareOf: (type: string) => { readonly part: number; readonly isFirst: boolean };
  /** Forget the agent if it is idle in memory; false when it is at work there. */
  readonly rests: (name: string) => boolean;
}

export class Sweep {
  readonly #host: SweepHost;
  readonly #types: readonly string[];
  readonly #stopping = new AbortController();
  #lastMs: number;
  /** Records that the last pass left. */
  #left = 0;
  /** Base records that had been stored by then. */
  #basesStored = 0;

  constructor(host: SweepHost) {
    this.#host = host;
    const { runtimes } = host;
    this.#types = [...runtimes.values()]
      .filter(({ definition }) => definition.keeps !== undefined)
      .map(({ type }) => type);
    this.#lastMs = host.clock.monotonicMs();
  }

  /** Some type has a retention. */
  get isNeeded(): boolean {
    return this.#types.length > 0;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Sweep if it is time, or worth it. */
  async run(): Promise<void> {
    if (!this.isNeeded || !(this.#isTime || this.#isWorthIt)) return;
    this.#lastMs = this.#host.clock.monotonicMs();
    this.#basesStored = this.#host.bases.stored;
    try {
      const look = await this.#host.collector.look();
      if (look !== undefined) await this.#sweep(look);
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return;
      this.#host.feed.emit({ kind: "fault", what: "retention", failure: errorData(thrown) });
    }
  }

  get #isTime(): boolean {
    const { clock, runtimes, settings } = this.#host;
    const goes = this.#types.some((type) => goesByTime(runtimes.get(type)?.definition.keeps));
    return goes && clock.monotonicMs() - this.#lastMs >= settings.sweepMs;
  }

  /** True when so much came since the last pass that reading all of it is worth it. */
  get #isWorthIt(): boolean {
    const { bases, collector, settings, shareOf } = this.#host;
    if (collector.waiting === 0) return false;
    const shares = this.#types.map((type) => shareOf(type));
    const part = Math.max(...shares.map((share) => (share.isFirst ? share.part : 0)));
    const came = (recordsEach * (bases.stored - this.#basesStored)) / part;
    return part > 0 && came >= Math.max(settings.prefixMin, growth * this.#left);
  }

  async #sweep(look: Look): Promise<void> {
    const { log, settings } = this.#host;
    const { signal } = this.#stopping;
    const census = new Census(settings.prefixMin);
    const request = { from: 1, untilNow: true, kinds: ["turn"], types: this.#types } as const;
    for await (const entry of log.follow({ ...request, signal })) {
      if (entry.kind !== "turn") continue;
      if (this.#isYoung(entry)) break;
      census.see(entry.agent, entry.entry);
      if (census.records % recordsAtOnce === 0) await this.#rest(pauseMs);
    }
    if (signal.aborted) return;
    this.#left = census.records;
    for (const type of this.#types) await this.#removePrefix(type, census, look);
    // Soon it will be more: base records of a new fold have to be old enough first.
    if (this.#left === census.records) this.#left /= 4;
    for (const counted of census.agents) {
      if (signal.aborted) return;
      if (this.#host.holds(counted.agent)) await this.#decide(counted, look);
    }
  }

  /** Whether the types' records from here on are all younger than their age. */
  #isYoung({ entry }: Extract<LogEntry, { readonly kind: "turn" }>): boolean {
    const nowMs = this.#host.log.nowMs();
    return this.#types.every((type) => {
      const rule = this.#host.runtimes.get(type)?.definition.keeps;
      if (rule?.ageMs === undefined || rule.turns !== undefined) return false;
      return nowMs - entry.committedAtMs < rule.ageMs;
    });
  }

  async #removePrefix(type: string, census: Census, look: Look): Promise<void> {
    const { collector, log, runtimes, settings, shareOf } = this.#host;
    const runtime = runtimes.get(type);
    if (runtime === undefined || !shareOf(type).isFirst) return;
    const bound = census.bound(runtime, log.nowMs(), settings.settleMs);
    if (bound.count < Math.max(settings.prefixMin, census.records / 16)) return;
    const before = await removePrefix({ ...this.#host, signal: this.#stopping.signal }, type, {
      bound,
      look,
    });
    if (before === 0) return;
    this.#left -= bound.count;
    collector.passed(type, before);
  }

  /** Decides what may go of this agent alone, which has no commits of its own any more. */
  async #decide(counted: Counted, look: Look): Promise<void> {
    const { collector, log, runtimes, settings } = this.#host;
    const runtime = runtimes.get(counted.agent.type);
    const rule = runtime?.definition.keeps;
    if (runtime === undefined || rule === undefined || counted.isUnreadable) return;
    const { agent, bases, first, isBased, last, lastStoredAtMs, turns } = counted;
    const nowMs = log.nowMs();
    const isOld = rule.ageMs !== undefined && nowMs - lastStoredAtMs >= rule.ageMs;
    if (!goesByTime(rule)) return;
    const base = removableBase({ bases, current: { turns }, runtime }, nowMs, settings.settleMs);
    if (base !== undefined && base.revision > first) collector.add(agent, base);
    if (!isOld || rule.after === "ended") return;
    // One that is a base record alone gets another one where it keeps others from going.
    const holds = isBased && first === last && last < look.below / 2;
    if (isBased && !holds) return;
    await this.#giveBase(counted, holds);
    await this.#rest(1000 / settings.agentsPerSecond);
  }

  /**
   * Stores a base record for an agent whose records are all old; they go behind it the next time.
   */
  async #giveBase({ agent, last, lastStoredAtMs }: Counted, again: boolean): Promise<void> {
    const { bases, feed, rests, runtimes } = this.#host;
    const name = agentName(agent);
    const runtime = runtimes.get(agent.type);
    if (runtime === undefined || !rests(name)) return;
    try {
      const history = new AgentHistory(this.#host, runtime, agent);
      await history.load();
      if (history.revision !== last || !(again || mayHaveBase(history))) return;
      await bases.append(history, lastStoredAtMs);
    } catch (thrown) {
      // A message came for it: it is active.
      if (thrown instanceof RevisionConflictError) return;
      feed.emit({ kind: "fault", what: `retention of ${name}`, failure: errorData(thrown) });
    }
  }

  #rest(delayMs: number): Promise<void> {
    return rest(this.#host.clock, delayMs, this.#stopping.signal);
  }
}

/** Whether an agent may have something to go without a further turn. */
function goesByTime(rule: AgentRuntime["definition"]["keeps"]): boolean {
  return rule !== undefined && (rule.ageMs !== undefined || rule.after === "ended");
}

/** Records that are read at once, and the pause after them. */
const recordsAtOnce = 1000;
const pauseMs = 5;
/** Turns between two base records of an agent, at least. */
const recordsEach = 32;
/** Growth of a log between two passes, as a part of what the last one left. */
const growth = 0.75;
