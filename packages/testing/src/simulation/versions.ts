/**
 * Versions of the code that run at each place of a simulated world, and the log's knowledge of
 * them.
 */
import type { AgentDefinition } from "@troupe/core/engine";
import type { SubscriptionBeginning } from "@troupe/core/log";
import type { MemoryBroker } from "../memory/memory-broker.ts";
import type { WorkerPlace } from "./fault.ts";
import type { System } from "./system.ts";

/** Code that is so many versions older, at one place, for a while. */
export interface Deployment {
  readonly place: WorkerPlace;
  readonly versions: number;
  readonly forMs: number;
}

type Code = readonly AgentDefinition[];

export class Versions {
  /** The newest first. */
  readonly #codes: readonly Code[];
  readonly #broker: Pick<MemoryBroker, "replica">;
  /** Versions that run at places without the newest one. */
  readonly #older = new Map<WorkerPlace, { readonly versions: number }>();
  readonly #beginnings = new Map<string, SubscriptionBeginning>();

  constructor(
    { agents, earlier = [] }: Pick<System, "agents" | "earlier">,
    broker: Pick<MemoryBroker, "replica">,
  ) {
    this.#codes = [...earlier, agents].map(codeOf).toReversed();
    this.#broker = broker;
  }

  get newest(): Code {
    return this.#codes[0] ?? [];
  }

  get oldest(): Code {
    return this.#codes.at(-1) ?? [];
  }

  /** Number of versions before the newest. */
  get earlier(): number {
    return this.#codes.length - 1;
  }

  at(place: WorkerPlace): Code {
    return this.#codes[this.#older.get(place)?.versions ?? 0] ?? this.oldest;
  }

  /**
   * A place gets older code. Returns what ends that: false when the place has had another
   * deployment since.
   */
  older(place: WorkerPlace, versions: number): () => boolean {
    const deployed = { versions };
    this.#older.set(place, deployed);
    return () => this.#older.get(place) === deployed && this.#older.delete(place);
  }

  /** Beginning of a subscription; undefined while no worker said so. */
  beginningOf(type: string, topic: string): SubscriptionBeginning | undefined {
    const name = `${type} ${topic}`;
    const known = this.#beginnings.get(name);
    if (known !== undefined) return known;
    const found = this.#broker.replica().manifest(type)?.since?.[topic];
    if (found !== undefined) this.#beginnings.set(name, found);
    return found;
  }
}

function codeOf(agents: System["agents"]): Code {
  return "kind" in agents ? [agents] : agents;
}
