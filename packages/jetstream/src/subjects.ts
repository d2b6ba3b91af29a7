/**
 * Every subject and stream name of a namespace, in one place.
 *
 * Public subjects, which any NATS client may write, lie in a stream of their own, the ingress:
 *
 *   <ns>.topic.<topic>.<source>, <ns>.agent.<type>.<key>
 *
 * Internal subjects begin with the shard, `<ns>.0`, and only the engine writes them. The relay
 * takes what is in the ingress to where our own client writes at once:
 *
 *   <ns>.0.in.<partition>.topic.<topic>.<source>, <ns>.0.in.<partition>.agent.<type>.<key>
 *
 * A journal's subject has no partition in it, so it outlives a change of partitions.
 */
import { keyToToken, type AgentId } from "@troupe/core";

/** The subjects and stream names of one namespace. */
export interface Subjects {
  readonly namespace: string;
  /** The stream of shard 0: inputs, journals, dead letters, timers. */
  readonly stream: string;
  /** The stream of manifests, floors, snapshots and cells. */
  readonly controlStream: string;
  /** The stream that foreign clients write to. */
  readonly ingressStream: string;
  /** What the shard's stream listens to. */
  readonly streamSubjects: readonly string[];
  /** What the ingress listens to: the public subjects. */
  readonly ingressSubjects: readonly string[];
  /** `<ns>.control.>` */
  readonly controlSubjects: readonly string[];
  /** The beginning of every partitioned input: `<ns>.0.in.` */
  readonly inputPrefix: string;
  readonly journalPrefix: string;
  readonly deadPrefix: string;
  readonly presence: string;
  /** Where an asker says that it waits no longer; not stored. */
  readonly cancelledAsks: string;
  /** Where workers say what their turns wait for; not stored. */
  readonly waits: string;
  /** The beginning of every address that a foreign client may want its reply at: `<ns>.reply.` */
  readonly foreignReplyPrefix: string;
  /** Where the relay notes up to where it took the ingress. */
  readonly taken: string;
  /** `<ns>.topic.<topic>.<source>`: where any NATS client publishes. */
  topic(topic: string, source: string): string;
  /** `<ns>.agent.<type>.<key>`: where any NATS client sends. */
  agent(agent: AgentId): string;
  /** The journal of one agent. */
  journal(agent: AgentId): string;
  /** Dead letters of one agent that were stored together with a turn. */
  dead(agent: AgentId): string;
  /**
   * One dead letter without a turn: the position makes the subject unique, so burying twice stores
   * once.
   */
  buried(agent: AgentId | undefined, position: number): string;
  /** A timer, without the last token that tells its settings apart. */
  timer(agent: AgentId, id: string): string;
  /** Where it is noted that a timer was cancelled. */
  cancelled(agent: AgentId, id: string): string;
  /** The inputs of one partition. */
  partition(partition: number): string;
  /** Foreign messages that nobody can be given: their subject is no address, or a header is bad. */
  readonly misfit: string;
  manifest(type: string): string;
  readonly manifests: string;
  snapshot(agent: AgentId): string;
  floor(type: string, partition: number | "misfits"): string;
  readonly floors: string;
  cell(cell: string): string;
  /** Where the writer of a cell says that it changed; not stored. */
  cellChanges(cell: string): string;
}

/**
 * Stands in for the type of an agent when the input has no usable address. No agent type begins
 * with an underscore.
 */
const misfitToken = "_misfit";

/** The subjects of a namespace, such as `troupe` or `acme.support`. */
export function subjects(namespace: string): Subjects {
  const name = namespace.replaceAll(".", "_");
  const shard = `${namespace}.0`;
  const control = `${namespace}.control`;
  const journalPrefix = `${shard}.journal.`;
  const deadPrefix = `${shard}.dead.`;
  return {
    namespace,
    stream: `${name}-0`,
    controlStream: `${name}-control`,
    ingressStream: `${name}-ingress`,
    streamSubjects: [`${shard}.>`],
    ingressSubjects: [`${namespace}.topic.>`, `${namespace}.agent.>`],
    controlSubjects: [`${control}.>`],
    inputPrefix: `${shard}.in.`,
    journalPrefix,
    deadPrefix,
    presence: `${namespace}.presence`,
    cancelledAsks: `${namespace}.cancelled`,
    waits: `${namespace}.waits`,
    foreignReplyPrefix: `${namespace}.reply.`,
    taken: `${shard}.taken`,
    topic: (topic, source) => `${namespace}.topic.${topic}.${keyToToken(source)}`,
    agent: (agent) => `${namespace}.agent.${agent.type}.${keyToToken(agent.key)}`,
    journal: (agent) => `${journalPrefix}${agent.type}.${keyToToken(agent.key)}`,
    dead: (agent) => `${deadPrefix}${agent.type}.${keyToToken(agent.key)}`,
    buried: (agent, position) =>
      agent === undefined
        ? `${deadPrefix}${misfitToken}.${position}`
        : `${deadPrefix}${agent.type}.${keyToToken(agent.key)}.${position}`,
    timer: (agent, id) => `${shard}.timer.${agent.type}.${keyToToken(agent.key)}.${keyToToken(id)}`,
    cancelled: (agent, id) =>
      `${shard}.cancelled.${agent.type}.${keyToToken(agent.key)}.${keyToToken(id)}`,
    partition: (partition) => `${shard}.in.${partition}.>`,
    misfit: `${shard}.misfit`,
    manifest: (type) => `${control}.manifest.${type}`,
    manifests: `${control}.manifest.>`,
    snapshot: (agent) => `${control}.snapshot.${agent.type}.${keyToToken(agent.key)}`,
    floor: (type, partition) => `${control}.floor.${type}.${partition}`,
    floors: `${control}.floor.>`,
    cell: (cell) => `${control}.cell.${keyToToken(cell)}`,
    cellChanges: (cell) => `${namespace}.cell.${keyToToken(cell)}`,
  };
}
