/**
 * Subjects and stream names of a namespace, all in one place.
 *
 * Public subjects, which any NATS client may write, lie in a stream of their own, the ingress:
 *
 *   <ns>.topic.<topic>.<source>, <ns>.agent.<type>.<key>
 *
 * Internal subjects begin with the partition of the key, and only the engine writes them. So a
 * stream is a set of partitions, and everything of an agent lies in one of them:
 *
 *   <ns>.<partition>.in.topic.<topic>.<source>, <ns>.<partition>.in.agent.<type>.<key>
 *   <ns>.<partition>.journal.<type>.<key>, and so on
 *
 * Entries about all partitions (the relay's progress, foreign messages that nobody can be given)
 * lie in partition 0. A log of several shards has a stream for each, with the partitions whose
 * number has that remainder; entries about a shard lie in the partition of its number.
 */
import { keyToToken, partitionOfToken, type AgentId } from "@troupe/core/log";

/** The subjects and stream names of one namespace. */
export interface Subjects {
  readonly namespace: string;
  readonly partitions: number;
  /** Number of streams that the partitions lie in. */
  readonly shards: number;
  /** Number of the stream that this is about. */
  readonly shard: number;
  /** The stream of the shard's partitions: inputs, journals, dead letters, timers. */
  readonly stream: string;
  /** The stream of manifests, floors, snapshots and cells. */
  readonly controlStream: string;
  /** The stream of the keys of personal data. */
  readonly keyStream: string;
  /** The stream that foreign clients write to. */
  readonly ingressStream: string;
  /** Subjects of the log's stream: `<ns>.<partition>.>` of each partition. */
  readonly streamSubjects: readonly string[];
  /** Subjects of the ingress: the public ones. */
  readonly ingressSubjects: readonly string[];
  /** `<ns>.control.>` */
  readonly controlSubjects: readonly string[];
  readonly presence: string;
  /** Subject on which an asker says that it waits no longer; not stored. */
  readonly cancelledAsks: string;
  /** Subject on which workers tell the waits of their turns; not stored. */
  readonly waits: string;
  /** The beginning of every address that a foreign client may want its reply at: `<ns>.reply.` */
  readonly foreignReplyPrefix: string;
  /** Subject on which the relay notes up to where it took the ingress. */
  readonly taken: string;
  /** Subject on which a move notes how far it came. */
  readonly moved: string;
  /** Subject under which this shard keeps messages for another one until that has taken them. */
  outbox(shard: number): string;
  /**
   * Subject on which this shard notes up to where it took the messages that another one keeps for
   * it.
   */
  takenFrom(shard: number): string;
  /** `<ns>.topic.<topic>.<source>`: where any NATS client publishes. */
  topic(topic: string, source: string): string;
  /** `<ns>.agent.<type>.<key>`: where any NATS client sends. */
  agent(agent: AgentId): string;
  /** Subject on which our own client writes an input; the name and the token must be checked. */
  input(kind: string, name: string, token: string): string;
  /** Beginning of the subjects about an agent, `<ns>.<partition>.<kind>.<type>.<token>`. */
  ofToken(kind: string, type: string, token: string): string;
  /** The journal of one agent. */
  journal(agent: AgentId): string;
  /** Dead letters of one agent that were stored together with a turn. */
  dead(agent: AgentId): string;
  /**
   * Subject of a dead letter without a turn: the position makes it unique, so burying twice stores
   * once. Without an agent, when the input has no usable address, it lies in partition 0.
   */
  buried(agent: AgentId | undefined, position: number): string;
  /** A timer, without the last token that tells its settings apart. */
  timer(agent: AgentId, id: string): string;
  /** Subject on which it is noted that a timer was cancelled. */
  cancelled(agent: AgentId, id: string): string;
  /** All timers of an agent. */
  timersOf(agent: AgentId): string;
  /** All notes of cancelled timers of an agent. */
  cancelledOf(agent: AgentId): string;
  /** The inputs of one partition. */
  partition(partition: number): string;
  /** Subjects among them that are for agents of a type, or of a topic. */
  partitionOf(partition: number, kind: "agent" | "topic", to: string): string;
  /** Subjects of a kind that lie below `rest`, over all partitions: `<ns>.*.<kind>.<rest>` */
  everywhere(kind: InternalKind, rest: string): string;
  /** Foreign messages that nobody can be given: their subject is no address, or a header is bad. */
  readonly unroutable: string;
  manifest(type: string): string;
  readonly manifests: string;
  snapshot(agent: AgentId): string;
  floor(type: string, partition: number | "unroutable"): string;
  readonly floors: string;
  cell(cell: string): string;
  /** Subject on which the writer of a cell says that it changed; not stored. */
  cellChanges(cell: string): string;
  /** Subject of a name in the key store. */
  key(name: string): string;
  /** Subject on which changed names of the key store are told; not stored. */
  readonly keyChanges: string;
}

/** Topic of an internal subject: the token after its partition. */
export type InternalKind = "in" | "journal" | "dead";

/** Number of a stream, and of all streams. */
export interface ShardPlace {
  readonly shard: number;
  readonly shards: number;
}

const onlyShard: ShardPlace = Object.freeze({ shard: 0, shards: 1 });

/**
 * The subjects of a namespace, such as `troupe` or `acme.support`, which has so many partitions.
 * Names of streams do not depend on these.
 *
 * @example
 * ```ts
 * const { stream } = subjects("acme", 64);
 * ```
 */
export function subjects(
  namespace: string,
  partitions: number,
  { shard, shards }: ShardPlace = onlyShard,
): Subjects {
  const name = namespace.replaceAll(".", "_");
  const control = `${namespace}.control`;
  const beginnings = Array.from({ length: partitions }, (_, index) => `${namespace}.${index}.`);
  const beginning = (token: string): string =>
    beginnings[partitionOfToken(token, partitions)] ?? "";
  const ofToken = (kind: string, type: string, token: string): string =>
    `${beginning(token)}${kind}.${type}.${token}`;
  const ofAgent = (kind: string, agent: AgentId): string =>
    ofToken(kind, agent.type, keyToToken(agent.key));
  return {
    namespace,
    partitions,
    shards,
    shard,
    stream: `${name}-${shard}`,
    controlStream: `${name}-control`,
    keyStream: `${name}-keys`,
    ingressStream: `${name}-ingress`,
    streamSubjects: beginnings.flatMap((each, partition) =>
      partition % shards === shard ? [`${each}>`] : [],
    ),
    ingressSubjects: [`${namespace}.topic.>`, `${namespace}.agent.>`],
    controlSubjects: [`${control}.>`],
    presence: `${namespace}.presence`,
    cancelledAsks: `${namespace}.cancelled`,
    waits: `${namespace}.waits`,
    foreignReplyPrefix: `${namespace}.reply.`,
    taken: `${namespace}.0.taken`,
    moved: `${namespace}.${shard}.moved`,
    outbox: (target) => `${namespace}.${shard}.out.${target}`,
    takenFrom: (source) => `${namespace}.${shard}.taken.${source}`,
    topic: (topic, source) => `${namespace}.topic.${topic}.${keyToToken(source)}`,
    agent: (agent) => `${namespace}.agent.${agent.type}.${keyToToken(agent.key)}`,
    ofToken,
    input: (kind, to, token) => `${beginning(token)}in.${kind}.${to}.${token}`,
    journal: (agent) => ofAgent("journal", agent),
    dead: (agent) => ofAgent("dead", agent),
    buried: (agent, position) =>
      agent === undefined
        ? `${namespace}.0.dead.${position}`
        : `${ofAgent("dead", agent)}.${position}`,
    timer: (agent, id) => `${ofAgent("timer", agent)}.${keyToToken(id)}`,
    cancelled: (agent, id) => `${ofAgent("cancelled", agent)}.${keyToToken(id)}`,
    timersOf: (agent) => `${ofAgent("timer", agent)}.>`,
    cancelledOf: (agent) => `${ofAgent("cancelled", agent)}.>`,
    partition: (partition) => `${namespace}.${partition}.in.>`,
    partitionOf: (partition, kind, to) => `${namespace}.${partition}.in.${kind}.${to}.>`,
    everywhere: (kind, rest) => `${namespace}.*.${kind}.${rest}`,
    unroutable: `${namespace}.0.unroutable`,
    manifest: (type) => `${control}.manifest.${type}`,
    manifests: `${control}.manifest.>`,
    snapshot: (agent) => `${control}.snapshot.${agent.type}.${keyToToken(agent.key)}`,
    floor: (type, partition) => `${control}.floor.${type}.${partition}`,
    floors: `${control}.floor.>`,
    cell: (cell) => `${control}.cell.${keyToToken(cell)}`,
    cellChanges: (cell) => `${namespace}.cell.${keyToToken(cell)}`,
    key: (key) => `${namespace}.keys.${key}`,
    keyChanges: `${namespace}.keychanges`,
  };
}

/** The subjects of each shard, in their order. */
export function subjectsOfShards(
  namespace: string,
  partitions: number,
  shards: number,
): readonly Subjects[] {
  return Array.from({ length: shards }, (_, shard) =>
    subjects(namespace, partitions, { shard, shards }),
  );
}

/** The partition that begins an internal subject. */
export function partitionOfSubject({ namespace }: Subjects, subject: string): number {
  const start = namespace.length + 1;
  return Number(subject.slice(start, subject.indexOf(".", start)));
}

/**
 * Index of the text after `<ns>.<partition>.<kind>.` in a subject of that kind; -1 in any other.
 * Runs once per message that is read, so no regular expressions.
 */
export function restStart(
  { namespace }: Pick<Subjects, "namespace">,
  subject: string,
  kind: InternalKind,
): number {
  const partition = namespace.length + 1;
  const digit = subject.charCodeAt(partition);
  // Public subjects have a word there.
  if (!(digit >= 48 && digit <= 57) || !subject.startsWith(namespace)) return -1;
  const start = subject.indexOf(".", partition) + 1;
  if (start === 0 || !subject.startsWith(kind, start)) return -1;
  const end = start + kind.length;
  return subject[end] === "." ? end + 1 : -1;
}
