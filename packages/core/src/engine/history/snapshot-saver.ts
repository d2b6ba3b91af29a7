/**
 * Takes snapshots off the hot path: after a commit, when enough turns or bytes have gathered in the
 * journal since the last one, and never more than a few at once. A snapshot that is not stored
 * costs time at the next activation, nothing else; so a failure is reported and the next one is
 * tried when it is due.
 */
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import type { AgentHistory } from "./agent-history.ts";
import { sealedState } from "./sealed-state.ts";
import type { Snapshot } from "./snapshot.ts";
import { encodeSnapshot } from "./snapshot.ts";

export interface SnapshotLimits {
  /** Turns between two snapshots of one agent. */
  readonly snapshotTurns: number;
  /** Bytes of the journal between two snapshots of one agent. */
  readonly snapshotBytes: number;
  /** Most bytes of a snapshot. */
  readonly stateBytesMax: number;
}

export class SnapshotSaver {
  readonly #log: Log;
  readonly #feed: InspectionFeed;
  readonly #limits: SnapshotLimits;
  #saving = 0;
  /** The last one on its way, by the name of its agent. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(log: Log, feed: InspectionFeed, limits: SnapshotLimits) {
    this.#log = log;
    this.#feed = feed;
    this.#limits = limits;
  }

  /**
   * Take a snapshot after this record if it is due. When too many are on their way, the next commit
   * asks again.
   */
  consider(history: AgentHistory, agent: AgentId, lastRecord: Uint8Array): void {
    if (!this.#isDue(history) || this.#saving >= savingMax) return;
    // While a parked agent is resumed it has turns, but its snapshot would hide that it is parked.
    if (history.parked !== undefined) return;
    // Steps of a message of the same batch would be hidden in the same way (I6).
    if (history.hasOpenSteps) return;
    const snapshot = history.takeSnapshot(lastRecord);
    const startedAt = this.#feed.active ? performance.now() : 0;
    this.#saving += 1;
    const save = async (): Promise<void> => {
      const { payloadBytesMax } = this.#log.limits;
      const bytesMax = Math.min(this.#limits.stateBytesMax, payloadBytesMax);
      const kept = await sealedSnapshot(this.#log, agent, snapshot);
      // A part of the state was erased meanwhile.
      if (kept === undefined) return;
      const bytes = encodeSnapshot(kept, lastRecord, { name: agentName(agent), bytesMax });
      await this.#log.saveSnapshot(agent, bytes);
      if (!this.#feed.active) return;
      const tookMs = performance.now() - startedAt;
      const { turns } = snapshot;
      this.#feed.emit({ kind: "snapshot.saved", agent, turns, bytes: bytes.byteLength, tookMs });
    };
    const name = agentName(agent);
    const saving = save()
      .catch((thrown: unknown) => this.#fault(agent, thrown))
      .finally(() => {
        this.#saving -= 1;
        if (this.#underWay.get(name) === saving) this.#underWay.delete(name);
      });
    this.#underWay.set(name, saving);
  }

  /** The agent was erased: a snapshot that was on its way then is not left behind. */
  async erased(agent: AgentId): Promise<void> {
    try {
      await this.#underWay.get(agentName(agent));
      await this.#log.destroy({ kind: "snapshot", agent }, Infinity);
    } catch (thrown) {
      this.#fault(agent, thrown);
    }
  }

  #fault(agent: AgentId, thrown: unknown): void {
    const what = `snapshot of ${agentName(agent)}`;
    this.#feed.emit({ kind: "fault", what, failure: errorData(thrown) });
  }

  #isDue({ sinceSnapshot: { bytes, turns } }: AgentHistory): boolean {
    const { snapshotBytes, snapshotTurns } = this.#limits;
    return turns >= snapshotTurns || (turns > 0 && bytes >= snapshotBytes);
  }
}

async function sealedSnapshot(
  log: Log,
  agent: AgentId,
  snapshot: Snapshot,
): Promise<Snapshot | undefined> {
  const { references, state } = snapshot;
  if (references === undefined) return snapshot;
  const sealed = await sealedState(log, agent, { references, state });
  return sealed && { ...snapshot, state: sealed };
}

/** Snapshots on their way to the log (I7). */
const savingMax = 16;
