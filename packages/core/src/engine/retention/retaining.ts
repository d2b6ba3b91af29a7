/** Work of a worker for the retention of its types; none where no retention is declared. */
import { DefinitionError } from "../../errors/definition-errors.ts";
import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import type { Clock } from "../../clock/clock.ts";
import { errorData } from "../../errors/troupe-error.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Archive } from "../../log/archive/archive-port.ts";
import type { AgentId } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import type { Activations } from "../mailbox/activations.ts";
import type { AgentRuntime } from "../runtime/agent-runtime.ts";
import type { LogFooting } from "../../log/log-footing.ts";
import type { LogIdentity } from "../runtime/log-identity.ts";
import type { Holding } from "../ownership/ownership.ts";
import type { CollectorSettings } from "./collector-settings.ts";
import { BaseWriter } from "./base-writer.ts";
import { Collector } from "./collector.ts";
import { removePublications } from "./publications.ts";
import { Sweep, type SweepHost } from "./sweep.ts";

export interface RetainingHost {
  readonly log: Log;
  readonly archive: Archive | undefined;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  readonly footing: LogFooting;
  readonly identity: LogIdentity;
  /** Id of the worker. */
  readonly id: string;
  /** Version of the code. */
  readonly version: string;
  readonly settings: {
    readonly collector: CollectorSettings;
    readonly stateBytesMax: number;
  };
  readonly runtimes: ReadonlyMap<string, AgentRuntime>;
  readonly activations: Pick<Activations, "rest">;
  /** The partitions that this worker holds. */
  readonly held: () => readonly Holding[];
}

export class Retaining {
  readonly bases: BaseWriter;
  readonly collector: Collector;
  readonly #host: RetainingHost;
  readonly #sweep: Sweep;
  /** Topics whose publications it removes, by type, and the time for which these are kept. */
  readonly #topics: ReadonlyMap<string, ReadonlyMap<string, number>>;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(host: RetainingHost) {
    const { id: worker, log, activations, runtimes } = host;
    const { collector: settings, stateBytesMax } = host.settings;
    this.#host = host;
    const holds = ({ key, type }: AgentId): boolean =>
      this.#holds(type, partitionOfToken(keyToToken(key), log.partitions));
    this.bases = new BaseWriter({ ...host, worker, stateBytesMax });
    this.collector = new Collector({ ...host, settings, holds });
    const rests = (name: string): boolean => activations.rest(name);
    const { bases, collector } = this;
    const shareOf = (type: string): ReturnType<SweepHost["shareOf"]> => {
      const own = host.held().filter((each) => each.type === type);
      const isFirst = own.some(({ partition }) => partition === 0);
      return { part: own.length / log.partitions, isFirst };
    };
    this.#sweep = new Sweep({ ...host, settings, bases, collector, holds, rests, shareOf });
    this.#topics = new Map([...runtimes.values()].map((each) => [each.type, agesOf(each)]));
  }

  start(): void {
    const hasTopics = [...this.#topics.values()].some(({ size }) => size > 0);
    if (hasTopics || this.#sweep.isNeeded) this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.collector.stop();
    this.#sweep.stop();
    this.#cancel?.();
  }

  #holds(type: string, partition: number): boolean {
    const { held } = this.#host;
    return held().some((each) => each.type === type && each.partition === partition);
  }

  #schedule(): void {
    const { clock, settings } = this.#host;
    this.#cancel = clock.after(settings.collector.lookMs, () => {
      void this.#round().then(() => {
        if (!this.#stopped) this.#schedule();
      });
    });
  }

  async #round(): Promise<void> {
    await this.#removePublications();
    await this.#sweep.run();
  }

  /**
   * Removes publications, if this is the type's one worker for it: the one with the first
   * partition.
   */
  async #removePublications(): Promise<void> {
    const { feed } = this.#host;
    const own = [...this.#topics].filter(([type]) => this.#holds(type, 0));
    const agesMs = new Map(own.flatMap(([, topics]) => [...topics]));
    if (agesMs.size === 0) return;
    try {
      const look = await this.collector.look();
      if (look !== undefined) await removePublications({ ...this.#host, agesMs }, look);
    } catch (thrown) {
      if (this.#stopped) return;
      feed.emit({ kind: "fault", what: "retention of topics", failure: errorData(thrown) });
    }
  }
}

/** Undefined for a worker none of whose types and topics says what is kept. */
export function retainingOf(host: RetainingHost): Retaining | undefined {
  const isDeclared = [...host.runtimes.values()].some(
    (each) => each.definition.keeps !== undefined || agesOf(each).size > 0,
  );
  if (!isDeclared) return undefined;
  requireOneShard(host);
  return new Retaining(host);
}

/**
 * Refuses a log of several shards: one position tells what was removed on purpose, and each shard
 * would need one.
 */
function requireOneShard({ log, runtimes }: RetainingHost): void {
  const { namespace, shards } = log;
  if (shards === 1) return;
  const types = [...runtimes.keys()].join(", ");
  throw new DefinitionError(
    `The log of ${namespace} has ${shards} shards, and only a log of one shard can have a retention: leave it out of ${types}, or host these in a namespace of one shard.`,
    { details: { namespace, shards, types } },
  );
}

function agesOf({ definition }: AgentRuntime): ReadonlyMap<string, number> {
  const topics = Object.entries(definition.subscriptions);
  return new Map(
    topics.flatMap(([topic, { retention }]) =>
      retention === undefined ? [] : [[topic, retention.ageMs] as const],
    ),
  );
}
