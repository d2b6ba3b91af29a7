/**
 * Knowledge of the system about the hosted types, compared with what this code knows (I15).
 *
 * In a rolling deploy several versions of the code host a type. The type's manifest says what any
 * of them handles, so old code sees what only newer code knows:
 *
 *  KNOW-1 An input that the manifest knows and this code does not waits, with everything behind it
 *     of its key, until code that knows it takes the partition. The other keys go on.
 *  KNOW-2 A manifest that was read after the message decides whether it is unknown to everybody,
 *     and so a dead letter.
 *  KNOW-3 A publication is passed over only on a manifest that was read at most `freshMs` ago. A
 *     worker that adds a subscription to a type that exists waits longer than that, and only then
 *     says from which position on it counts (registration.ts). So no publication that belongs to it
 *     is passed over.
 *  KNOW-4 A subscription counts for what comes after its beginning.
 */
import type { Clock } from "../../clock/clock.ts";
import { errorData } from "../../errors/troupe-error.ts";
import { UnknownHereError } from "../../errors/event-errors.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Input, Position } from "../../definition/message/input.ts";
import type { Log } from "../../log/log.ts";
import type { Manifest, SubscriptionBeginning } from "../../log/manifest.ts";
import { shardAt, shardOfKey } from "../../log/shard.ts";
import { nameOf } from "./turn-input.ts";
import type { AgentRuntime } from "./agent-runtime.ts";

/** Fate of an input of a type's agent. `ask`: it waits until the manifest is read again. */
export type Routing = "handle" | "pass" | "wait" | "ask";

export interface KnowledgeHost {
  readonly log: Log;
  readonly clock: Clock;
  readonly feed: InspectionFeed;
  readonly worker: string;
  readonly version: string;
  /** Larger payloads are not looked into. */
  readonly messageBytesMax: number;
  readonly intervalMs: number;
  readonly freshMs: number;
  /** Write the manifest of a type that has none (any more). */
  readonly register: (type: string) => Promise<Manifest>;
  /** Called when the questions about a type can be decided. */
  readonly onAnswer: (type: string) => void;
  /** Other topics are for a type than before. */
  readonly onTopics: (type: string) => void;
  /** Names of a type were taken away: nothing waits for them any more. */
  readonly onForgotten: (type: string) => void;
  /** Called when this code lacks something of a type that another one has. */
  readonly onLack: (type: string) => void;
}

export class Knowledge {
  readonly #host: KnowledgeHost;
  readonly #manifests = new Map<string, Manifest>();
  /** Up to which position a name of a type is known to nobody, by `type name`; of the last read. */
  readonly #denied = new Map<string, Position>();
  /** Asked about since the last read began: the furthest position, by type, name and shard. */
  #asked = new Map<string, { readonly type: string; readonly position: Position }>();
  readonly #told = new Set<string>();
  #readAtMs = -Infinity;
  #refreshing: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(host: KnowledgeHost) {
    this.#host = host;
  }

  /** Takes over the log's answer to the registration of the type. */
  learn(manifest: Manifest): void {
    this.#manifests.set(manifest.type, manifest);
    this.#readAtMs = this.#host.clock.monotonicMs();
  }

  start(): void {
    const { clock, intervalMs } = this.#host;
    this.#cancel = clock.after(intervalMs, () => {
      void this.#refresh().then(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Whether publications may be passed over (KNOW-3). */
  get isFresh(): boolean {
    return this.#host.clock.monotonicMs() - this.#readAtMs <= this.#host.freshMs;
  }

  /** Calls back when the manifests were read again. */
  whenFresh(then: () => void): void {
    this.#waiting.push(then);
    void this.#refresh();
  }

  /**
   * Read the manifests again, from now on. False when that did not succeed; a fault tells why.
   */
  async refresh(): Promise<boolean> {
    const startedAtMs = this.#host.clock.monotonicMs();
    await this.#refreshing;
    await this.#refresh();
    return this.#readAtMs >= startedAtMs;
  }

  /** Topics that any version of a type's code subscribes to. */
  topicsOf({ topics, type }: AgentRuntime): readonly string[] {
    return [...new Set([...topics, ...(this.#manifests.get(type)?.topics ?? [])])];
  }

  routingOf(runtime: AgentRuntime, input: Input): Routing {
    const { type } = runtime;
    const { address, position } = input;
    if (address.kind === "topic") return this.#ofTopic(runtime, address.name, input);
    if (address.name !== type) return "pass";
    if (input.fault !== undefined) return "handle";
    const { topic } = input.metadata;
    const name = this.#nameOf(input);
    if (name === undefined || name.startsWith("~")) return "handle";
    if (runtime.handlerOf(name, topic !== undefined) !== undefined) return "handle";
    const known = this.#manifests.get(type);
    const names = topic === undefined ? known?.messages : known?.topics;
    if (names?.includes(name) === true) return "wait";
    const denied = this.#denied.get(`${type} ${name} ${shardAt(position)}`) ?? 0;
    return position <= denied ? "handle" : "ask";
  }

  #ofTopic(runtime: AgentRuntime, topic: string, input: Input): Routing {
    const manifest = this.#manifests.get(runtime.type);
    const since = manifest?.since?.[topic];
    const isOurs = Object.hasOwn(runtime.definition.subscriptions, topic);
    const isBefore = since !== undefined && this.#isBefore(input, since);
    if (isBefore) return "pass";
    if (isOurs) return "handle";
    return manifest?.topics.includes(topic) === true ? "wait" : "pass";
  }

  #isBefore({ acceptedAtMs, address, position }: Input, since: SubscriptionBeginning): boolean {
    if (acceptedAtMs > since.atMs) return false;
    const { ends } = since;
    if (ends === undefined) return position <= since.position;
    return position <= (ends[shardOfKey(this.#host.log, address.key)] ?? 0);
  }

  #nameOf(input: Input): string | undefined {
    return nameOf(input, this.#host.messageBytesMax);
  }

  /** An input waits; that is said once for each name. */
  waits(runtime: AgentRuntime, input: Input, routing: Routing): void {
    const { type } = runtime;
    const name = this.#nameOf(input) ?? "";
    if (routing === "ask") {
      const asked = `${type} ${name} ${shardAt(input.position)}`;
      const position = Math.max(input.position, this.#asked.get(asked)?.position ?? 0);
      this.#asked.set(asked, { type, position });
      void this.#refresh();
      return;
    }
    if (this.#told.has(`${type} ${name}`)) return;
    this.#told.add(`${type} ${name}`);
    const failure = errorData(this.unknownHere(runtime, input));
    this.#host.feed.emit({ kind: "fault", what: `inputs of ${type}`, failure });
  }

  /** Error that says why an input waits. The type's partitions are left to workers that know it. */
  unknownHere({ type }: AgentRuntime, input: Input): UnknownHereError {
    const { version, worker } = this.#host;
    const { address } = input;
    const name = this.#nameOf(input) ?? "";
    this.#host.onLack(type);
    const what = address.kind === "topic" ? `the topic ${name}` : `the message ${name}`;
    const newest = this.#manifests.get(type)?.version ?? "unknown";
    return new UnknownHereError(
      `The code of ${worker} (version ${version}) does not know ${what} of the agent type ${type}, and newer code does (version ${newest}). ` +
        `Agents with such inputs wait for a worker that runs it; the others go on. Finish the deploy, or take the name away on purpose: log.forget(${JSON.stringify(type)}, …).`,
      { details: { type, name, version, newest, worker } },
    );
  }

  /** Reads the manifests; never rejects. A call while they are read is about the next read. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
      if (this.#asked.size > 0 && !this.#stopped && this.isFresh) void this.#refresh();
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const { clock, feed, log, register } = this.#host;
    const startedAtMs = clock.monotonicMs();
    const asked = this.#asked;
    this.#asked = new Map();
    try {
      const read = async (type: string): Promise<Manifest> =>
        (await log.manifest(type, { firm: true })) ?? register(type);
      const manifests = await Promise.all([...this.#manifests.keys()].map(read));
      this.#readAtMs = startedAtMs;
      this.#decide(manifests, asked);
    } catch (thrown) {
      // Asked again with the next read.
      for (const [name, question] of asked)
        if (!this.#asked.has(name)) this.#asked.set(name, question);
      feed.emit({ kind: "fault", what: "reading manifests", failure: errorData(thrown) });
    }
  }

  #decide(
    manifests: readonly Manifest[],
    asked: ReadonlyMap<string, { readonly type: string; readonly position: Position }>,
  ): void {
    const { onAnswer, onForgotten, onTopics } = this.#host;
    const subscribing = manifests.filter(({ topics, type }) => {
      const before = this.#manifests.get(type)?.topics ?? [];
      return topics.some((topic) => !before.includes(topic));
    });
    const forgotten = manifests.filter((manifest) => {
      const before = this.#manifests.get(manifest.type);
      this.#manifests.set(manifest.type, manifest);
      return before !== undefined && hasShrunk(before, manifest);
    });
    // Before anything else is read on what was known before.
    for (const { type } of subscribing) onTopics(type);
    // Only those of this read: a decided question is not asked again.
    this.#denied.clear();
    for (const [name, { position }] of asked) this.#denied.set(name, position);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
    for (const type of new Set([...asked.values()].map((question) => question.type)))
      onAnswer(type);
    for (const { type } of forgotten) onForgotten(type);
  }
}

function hasShrunk(before: Manifest, after: Manifest): boolean {
  const isGone = (kind: "messages" | "topics"): boolean =>
    before[kind].some((name) => !after[kind].includes(name));
  return isGone("messages") || isGone("topics");
}
