/**
 * Knowledge of the system about an agent type: written by the workers that host it, read by
 * everybody who sends to it.
 *
 * A manifest only grows. Several versions of the code may host a type at once, and an old one that
 * starts again must not hide what a newer one handles; so registering adds names, and only
 * `forget` takes some away, on purpose (I15).
 */

import type { Position } from "../definition/message/input.ts";

/**
 * A subscription counts for what has a later position, or a later time: where the log went back or
 * was made anew, the position is of one that is gone (I16).
 */
export interface SubscriptionBeginning {
  readonly position: Position;
  /** Time at which the log stored what lies there, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The same position in each shard, where the log has several. */
  readonly ends?: readonly Position[] | undefined;
}

/** Names that a type handles, by kind. */
export interface ManifestNames {
  /** Names of the messages it handles. */
  readonly messages: readonly string[];
  /** Names of the topics it subscribes to. */
  readonly topics: readonly string[];
  /** Names of the events it emits. */
  readonly events: readonly string[];
}

export interface Manifest extends ManifestNames {
  readonly type: string;
  /** Code version of the worker that registered last. */
  readonly version: string;
  /**
   * Beginning of each subscription, by topic. A topic without a beginning is being added:
   * publications on it wait until that is said.
   */
  readonly since?: Readonly<Record<string, SubscriptionBeginning>> | undefined;
}

/** The known manifest with the names that another one has and it has not; for logs. */
export function grownManifest(known: Manifest | undefined, added: Manifest): Manifest {
  if (known === undefined) return added;
  const union = (kind: keyof ManifestNames): readonly string[] => [
    ...new Set([...known[kind], ...added[kind]]),
  ];
  const { type, version } = added;
  return {
    type,
    messages: union("messages"),
    topics: union("topics"),
    events: union("events"),
    version,
    ...beginnings({ ...added.since, ...known.since }),
  };
}

/** A manifest without beginnings has a single form, because manifests are compared. */
function beginnings(since: NonNullable<Manifest["since"]>): Pick<Manifest, "since"> {
  return Object.keys(since).length === 0 ? {} : { since };
}

/** The manifest without these names; for logs. */
export function shrunkManifest(known: Manifest, forgotten: Partial<ManifestNames>): Manifest {
  const rest = (kind: keyof ManifestNames): readonly string[] =>
    known[kind].filter((name) => forgotten[kind]?.includes(name) !== true);
  const topics = rest("topics");
  const { since = {}, ...names } = known;
  const left = Object.entries(since).filter(([topic]) => topics.includes(topic));
  return {
    ...names,
    messages: rest("messages"),
    topics,
    events: rest("events"),
    ...beginnings(Object.fromEntries(left)),
  };
}

/** Whether two manifests say the same. */
export function isSameManifest(one: Manifest | undefined, other: Manifest): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
