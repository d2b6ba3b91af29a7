/**
 * Writes base records: after a commit, when enough turns have gathered since the last one. They go
 * between turns, under the agent's fence; a failed one costs nothing but that less can be removed.
 */
import { StateTooLargeError } from "../../errors/snapshot-errors.ts";
import { RevisionConflictError } from "../../errors/log-errors.ts";
import { BaseTooLargeError, ForeignSubjectsError } from "../../errors/state-errors.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import type { AgentHistory } from "../history/agent-history.ts";
import type { Uncommitted } from "../mailbox/uncommitted.ts";
import { sealedState } from "../history/sealed-state.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { LogIdentity } from "../runtime/log-identity.ts";
import type { BaseRecord } from "../../journal/base-record.ts";
import { encodeBaseRecord } from "../../journal/base-record.ts";
import { requireOwnSubject } from "./own-subject.ts";
import { turnsBetweenBases } from "../../definition/retention-rule.ts";

export interface BaseWriterHost {
  readonly log: Log;
  readonly feed: InspectionFeed;
  /** Told of what is stored. */
  readonly footing: Pick<LogFooting, "append">;
  readonly identity: Pick<LogIdentity, "id">;
  readonly worker: string;
  readonly version: string;
  /** Most bytes of a base record. */
  readonly stateBytesMax: number;
}

export class BaseWriter {
  readonly #host: BaseWriterHost;
  /** Agents with a base record on its way, and those whose state cannot be in one. */
  readonly #passed = new WeakSet<AgentHistory>();
  #stored = 0;

  constructor(host: BaseWriterHost) {
    this.#host = host;
  }

  /** Number of base records that it has stored. */
  get stored(): number {
    return this.#stored;
  }

  /** A turn was stored: append a base record behind it if one is due. */
  consider(history: AgentHistory, line: Pick<Uncommitted, "aside">): void {
    if (!this.#isDue(history) || this.#passed.has(history)) return;
    this.#passed.add(history);
    const append = async (): Promise<void> => {
      if (mayHaveBase(history)) await this.append(history, this.#host.log.nowMs());
    };
    line.aside(append).then(
      () => this.#passed.delete(history),
      (thrown: unknown) => this.#failed(history, thrown),
    );
  }

  /**
   * Appends one to the journal's end, wherever that is known to be. @param coveredAtMs when the
   * last record was stored. @throws BaseTooLargeError, ForeignSubjectsError, and what a commit
   * throws
   */
  async append(history: AgentHistory, coveredAtMs: number): Promise<void> {
    const { footing, log, stateBytesMax } = this.#host;
    const { agent, revision: expectedRevision } = history;
    const base = await this.#sealed(history, this.#baseOf(history, coveredAtMs));
    // A part of the state was erased meanwhile.
    if (base === undefined) return;
    const bytesMax = Math.min(stateBytesMax, log.limits.payloadBytesMax);
    const record = encodeBaseRecord(base, agentName(agent), bytesMax);
    const revision = await footing.append({ agent, expectedRevision, record, outgoing: [] });
    this.#stored += 1;
    history.baseStored(base, revision, record.byteLength);
    const { feed } = this.#host;
    if (!feed.active) return;
    feed.emit({
      kind: "base.stored",
      agent,
      turns: base.turns,
      revision,
      bytes: record.byteLength,
    });
  }

  #isDue(history: AgentHistory): boolean {
    const { keeps: rule } = history.runtime.definition;
    if (rule === undefined || rule.after === "ended") return false;
    const since = history.turnsSinceBase;
    if (since > 0 && isOfAnotherFold(history)) return true;
    if (since < turnsMin) return false;
    if (rule.turns !== undefined && since >= turnsBetweenBases(rule)) return true;
    if (rule.ageMs === undefined) return false;
    const { storedAtMs = 0 } = history.bases.at(-1) ?? {};
    const isOld = this.#host.log.nowMs() - storedAtMs >= rule.ageMs / partsOfAge;
    return isOld || since >= turnsMax;
  }

  #baseOf(history: AgentHistory, coveredAtMs: number): BaseRecord {
    const { current, revision: previous, runtime } = history;
    const { ended, lastInput, openAsks, state, turns } = current;
    const { stateVersion } = runtime.definition;
    const { foldVersion } = runtime;
    const { identity, version, worker } = this.#host;
    const kept = {
      log: identity.id,
      turns,
      lastInput,
      openAsks,
      previous,
      coveredAtMs,
      worker,
      version,
    };
    // An end stays one: its state is the initial one, of whatever version.
    return { ...kept, state: ended ? undefined : state, stateVersion, foldVersion, ended };
  }

  /**
   * The base record with its state sealed where it holds personal data (BASE-5). @throws
   * ForeignSubjectsError
   */
  async #sealed(history: AgentHistory, base: BaseRecord): Promise<BaseRecord | undefined> {
    const { log } = this.#host;
    const { agent, current } = history;
    const { references, state } = current;
    if (references === undefined || base.ended !== undefined) return base;
    await requireOwnSubject(log, agent, references);
    const sealed = await sealedState(log, agent, { references, state });
    return sealed && { ...base, state: sealed };
  }

  #failed(history: AgentHistory, thrown: unknown): void {
    // One that cannot be is told once in the agent's time in memory.
    const isForGood =
      thrown instanceof BaseTooLargeError ||
      thrown instanceof StateTooLargeError ||
      thrown instanceof ForeignSubjectsError;
    if (!isForGood) this.#passed.delete(history);
    // Somebody else has the agent.
    if (thrown instanceof RevisionConflictError) return;
    const what = `base record of ${agentName(history.agent)}`;
    this.#host.feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }
}

/**
 * Whether the newest base record holds what other code made of the events. Nothing goes behind such
 * a one, so the new code's first turn brings one of its own: else a journal would grow by two
 * intervals with each change of the fold.
 */
function isOfAnotherFold({ bases, runtime }: AgentHistory): boolean {
  const newest = bases.at(-1);
  return newest !== undefined && newest.foldVersion !== runtime.foldVersion;
}

/**
 * Whether the agent may have a base record: not while it is parked, nor while a turn has steps in
 * the journal or a run that was written down, because a successor needs these records.
 */
export function mayHaveBase({ hasOpenSteps, parked, turnsSinceBase }: AgentHistory): boolean {
  return parked === undefined && !hasOpenSteps && turnsSinceBase > 0;
}

/** Turns between two base records of agents that go by age: at least, and at most. */
const turnsMin = 32;
const turnsMax = 4096;
/** Number of base records in the time that is kept. */
const partsOfAge = 8;
