/**
 * The collector: removes what the retention of a worker's types lets go, in small steps.
 *
 *  COLLECT-1 A step is one agent: its records before a base record, then its inputs up to that
 *     base's last one. Both are idempotent and bounded by what a look found; a crash in between
 *     leaves something for the next base record's step.
 *  COLLECT-2 Only the holder of the agent's partition does it. The rule spares the log; the base
 *     record is fenced, so two workers that do it remove the same.
 *  COLLECT-3 A look comes before the steps, again every `lookMs`: every saved floor stands
 *     (LOWWATER-3), the low-water mark is raised to what this worker just found on the log, and the
 *     inputs that are handled everywhere are known (UNHANDLED-1, UNHANDLED-2). Entries below the
 *     mark are archived before any of them is removed, where there is an archive.
 *  COLLECT-4 It is paced: so many agents a second, a few at once, and a part of the time at most; a
 *     log that is busy is left alone. Records beyond that pace wait, and go by prefix when they are
 *     many (prefix.ts); more than `waitingMax` are left to the agents' next base records.
 */
import type { Clock } from "../../clock/clock.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { Archive } from "../../log/archive/archive-port.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import { raiseLowWater } from "../../log/low-water.ts";
import type { Mark } from "../../log/log-end.ts";
import { fitsLog } from "../../log/mark.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import { decodeJournalRecord } from "../../journal/journal-record.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { CollectorSettings } from "./collector-settings.ts";
import type { KnownBase } from "../../journal/known-base.ts";
import { removableBase } from "./removable.ts";
import { deadLetterOriginals, firstUnhandled, heldFrom, type Originals } from "./unhandled.ts";

export interface CollectorHost {
  readonly log: Log;
  /** Archive for the records that are removed. */
  readonly archive: Pick<Archive, "keep"> | undefined;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  readonly footing: Pick<LogFooting, "marks">;
  readonly settings: CollectorSettings;
  /** Whether this worker holds the agent's partition. */
  readonly holds: (agent: AgentId) => boolean;
}

/** Bounds that a look found. */
export interface Look {
  readonly atMs: number;
  /** Position from which on nothing is removed. */
  readonly below: Position;
  /** Inputs from here on may be needed (UNHANDLED-1). */
  readonly unhandled: Position;
  readonly originals: Originals;
}

interface Waiting {
  readonly agent: AgentId;
  readonly base: Pick<KnownBase, "lastInput" | "revision" | "turns">;
  /** Set when its records went, and some of its inputs were not handled everywhere at this look. */
  readonly tried?: { readonly look: Look; readonly sinceMs: number } | undefined;
}

export class Collector {
  readonly #host: CollectorHost;
  readonly #waiting = new Map<string, Waiting>();
  #look: Look | undefined;
  /** Look up to which everything is archived, by type. */
  readonly #archived = new Map<string, Look>();
  #cancel: (() => void) | undefined;
  #isScheduled = false;
  #stopped = false;

  constructor(host: CollectorHost) {
    this.#host = host;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Agents that wait for their step. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A turn of the agent was stored: finds the records that may go now. */
  consider(history: AgentHistory): void {
    if (history.bases.length === 0) return;
    const { log, settings } = this.#host;
    const base = removableBase(history, log.nowMs(), settings.settleMs);
    if (base === undefined || !this.add(history.agent, base)) return;
    history.forgetBasesTo(base.revision);
  }

  /** Note that the records before this base record may go. False when too much waits already. */
  add(agent: AgentId, base: Waiting["base"]): boolean {
    const name = agentName(agent);
    if (this.#waiting.size >= waitingMax && !this.#waiting.has(name)) return false;
    this.#waiting.set(name, { agent, base });
    this.#schedule();
    return true;
  }

  /** All of a type that lies before the position is gone: nobody of it waits for that any more. */
  passed(type: string, before: Position): void {
    for (const [name, { agent, base }] of this.#waiting) {
      if (agent.type === type && base.revision <= before) this.#waiting.delete(name);
    }
  }

  /** A look that is at most `lookMs` old; undefined when nothing may be removed now. */
  async look(): Promise<Look | undefined> {
    const { clock, footing, log, settings } = this.#host;
    const atMs = clock.monotonicMs();
    if (this.#look !== undefined && atMs - this.#look.atMs < settings.lookMs) return this.#look;
    this.#look = undefined;
    const floors = await log.floors();
    if (
      !(await allStand(
        log,
        floors.flatMap(({ mark }) => mark ?? []),
      ))
    )
      return undefined;
    const [mark] = (await footing.marks()) ?? [];
    if (mark === undefined || mark.position === 0) return undefined;
    const { below } = await raiseLowWater(log, mark);
    const unhandled = await firstUnhandled(log, floors);
    const originals = await deadLetterOriginals(log);
    this.#look = { atMs, below, unhandled, originals };
    return this.#look;
  }

  /** Runs the steps as long as something waits. */
  #schedule(delayMs: number = tickMs): void {
    if (this.#isScheduled || this.#stopped) return;
    this.#isScheduled = true;
    this.#cancel = this.#host.clock.after(delayMs, () => {
      const { clock } = this.#host;
      const startedAt = clock.monotonicMs();
      void this.#tick().then(() => {
        this.#isScheduled = false;
        const restMs = (clock.monotonicMs() - startedAt) / shareMax;
        if (this.#waiting.size === 0) return;
        const isAllTried = [...this.#waiting.values()].every(({ tried }) => tried !== undefined);
        this.#schedule(Math.max(restMs, isAllTried ? this.#host.settings.lookMs : tickMs));
      });
    });
  }

  async #tick(): Promise<void> {
    try {
      const look = await this.look();
      if (look === undefined) return;
      const count = Math.ceil((this.#host.settings.agentsPerSecond * tickMs) / 1000);
      const due = [...this.#waiting.values()].slice(0, count);
      await this.#archive(due, look);
      const next = due.values();
      const { clock } = this.#host;
      const untilMs = clock.monotonicMs() + tickMs * shareMax;
      const work = async (): Promise<void> => {
        for (const waiting of next) {
          if (!this.#stopped) await this.#step(waiting, look);
          if (clock.monotonicMs() > untilMs) return;
        }
      };
      await Promise.all(Array.from({ length: atOnceMax }, work));
    } catch (thrown) {
      this.#fault("retention", thrown);
    }
  }

  /** Archives everything that the steps may remove, once for each look. */
  async #archive(due: readonly Waiting[], look: Look): Promise<void> {
    const { archive } = this.#host;
    if (archive === undefined) return;
    for (const name of new Set(due.map(({ agent }) => agent.type))) {
      if (this.#archived.get(name) === look) continue;
      await archive.keep({ kind: "agent", name }, look.below);
      this.#archived.set(name, look);
    }
  }

  async #step(waiting: Waiting, look: Look): Promise<void> {
    const { agent, base, tried } = waiting;
    const name = agentName(agent);
    if (tried?.look === look) return;
    // The next look knows more.
    if (base.revision > look.below) {
      this.#look = undefined;
      return;
    }
    if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    if (!this.#host.holds(agent)) return;
    try {
      await this.#remove(waiting, look);
    } catch (thrown) {
      this.#fault(`retention of ${name}`, thrown);
    }
  }

  async #remove({ agent, base, tried }: Waiting, look: Look): Promise<void> {
    const { clock, feed, log } = this.#host;
    const startedAt = clock.monotonicMs();
    if (!(await this.#isThere(base))) return;
    const records = await log.truncateJournal(agent, base.revision);
    const address = `agent/${agentName(agent)}`;
    const held = heldFrom(look.originals, [address]);
    const upTo = Math.min(base.lastInput + 1, look.unhandled, look.below, held);
    const inputs = await log.removeInputs(
      { kind: "agent", name: agent.type, key: agent.key },
      upTo,
    );
    // Floors are a moment behind, and an agent that ended has no next base record.
    const sinceMs = tried?.sinceMs ?? startedAt;
    if (upTo <= base.lastInput && upTo < held && startedAt - sinceMs < triesMs) {
      const name = agentName(agent);
      const again = { agent, base, tried: { look, sinceMs } };
      if (!this.#waiting.has(name)) this.#waiting.set(name, again);
    }
    if (!feed.active || records + inputs === 0) return;
    const tookMs = clock.monotonicMs() - startedAt;
    const { turns } = base;
    feed.emit({ kind: "journal.truncated", agent, turns, records, inputs, tookMs });
  }

  /** The log's leader has the base record at that position, and not something else (BASE-4). */
  async #isThere({ revision, turns }: Waiting["base"]): Promise<boolean> {
    const found = await this.#host.log.at(revision);
    if (found === undefined) return false;
    const entry = decodeJournalRecord(found.payload);
    return entry.kind === "base" && entry.base.turns === turns;
  }

  #fault(what: string, thrown: unknown): void {
    if (this.#stopped) return;
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }
}

/** Whether all entries that saved floors stand on are there (LOWWATER-3). */
async function allStand(
  log: Pick<Log, "at" | "cell" | "end">,
  marks: readonly Mark[],
): Promise<boolean> {
  const distinct = new Map(marks.map((mark) => [`${mark.position} ${mark.storedAtMs}`, mark]));
  for (const mark of distinct.values()) if (!(await fitsLog(log, mark))) return false;
  return true;
}

const tickMs = 100;
/** Share of the time, at most, in which records are being removed agent by agent. */
const shareMax = 0.1;
/** Time that an agent's inputs may wait for others to handle them, in milliseconds. */
const triesMs = 60_000;
/** Steps under way. */
const atOnceMax = 8;
/** Agents that wait for their step (I7). */
const waitingMax = 100_000;
