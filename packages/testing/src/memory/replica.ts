/**
 * A replica that is behind: it answers reads with what it had stored when it fell behind.
 *
 * The log's answer to a read without its leader may come from any replica, and two reads from two
 * of them. Nothing that such an answer lacks is missing from the log.
 */
import { agentName } from "@troupe/core/log";
import type { Log } from "@troupe/core/log";
import type { Server } from "./server.ts";
import { inputAt, inputsOf, journalPage } from "./stored-pages.ts";

/** The reads that a replica may answer. */
export type ReplicaRead =
  | "cell"
  | "floors"
  | "input"
  | "inputsOf"
  | "journal"
  | "manifest"
  | "manifests"
  | "snapshot";

/** Answers of the replica, at once. */
export type Replica = {
  readonly [Read in ReplicaRead]: (
    ...request: Parameters<Log[Read]>
  ) => Awaited<ReturnType<Log[Read]>>;
};

export function replicaOf(server: Server): Replica {
  const last = server.storage.entries.length;
  const floors = [...server.floors.values()];
  const snapshots = new Map(server.snapshots);
  const manifests = new Map(server.manifests);
  const cells = server.cells.copy();
  return {
    cell: (name) => cells.get(name),
    floors: () => floors,
    input: (position) => (position > last ? undefined : inputAt(server, position)),
    inputsOf: (agent, topics, after, before) =>
      inputsOf(server, agent, topics, after, Math.min(before, last + 1)),
    journal: (agent, after) =>
      journalPage(server, agent, after).filter(({ revision }) => revision <= last),
    manifest: (type) => manifests.get(type),
    manifests: () => [...manifests.values()],
    snapshot: (agent) => snapshots.get(agentName(agent)),
  };
}
