/**
 * Subjects of one namespace in another one with another number of partitions, told to the server:
 * it moves the subjects itself, with the same hash as our client.
 *
 * Timers are not among them: the server would fire them into the old namespace. Markers of a relay
 * or of cancelled timers are about entries that stay behind.
 */
import type { Subjects } from "../subjects.ts";

export interface SubjectTransform {
  readonly src: string;
  readonly dest: string;
}

/** The subjects of the stream of one shard. No two of them overlap. */
export function logTransforms(from: Subjects, to: Subjects): readonly SubjectTransform[] {
  const ofNobody =
    to.shard === 0
      ? [
          { src: `${from.namespace}.0.dead.*`, dest: `${to.namespace}.0.dead.{{wildcard(1)}}` },
          { src: from.unroutable, dest: to.unroutable },
        ]
      : [];
  return [...partitionsFor(from, to).flatMap((each) => ofPartition(each, from, to)), ...ofNobody];
}

/**
 * The partitions of which a shard gets everything: those of its remainder, because where a key lies
 * depends on one hash.
 */
function partitionsFor({ partitions }: Subjects, { shard, shards }: Subjects): readonly string[] {
  if (shards === 1) return ["*"];
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  return all.filter((partition) => partition % shards === shard).map(String);
}

function ofPartition(
  partition: string,
  { namespace: old }: Subjects,
  to: Subjects,
): readonly SubjectTransform[] {
  const before = partition === "*" ? 1 : 0;
  const beginning = (token: number): string =>
    `${to.namespace}.{{partition(${to.partitions},${before + token})}}`;
  const [first, second, third] = [1, 2, 3].map((token) => `{{wildcard(${before + token})}}`);
  const at = `${old}.${partition}`;
  return [
    { src: `${at}.in.*.*.*`, dest: `${beginning(3)}.in.${first}.${second}.${third}` },
    { src: `${at}.journal.*.*`, dest: `${beginning(2)}.journal.${first}.${second}` },
    { src: `${at}.dead.*.*`, dest: `${beginning(2)}.dead.${first}.${second}` },
    { src: `${at}.dead.*.*.*`, dest: `${beginning(2)}.dead.${first}.${second}.${third}` },
  ];
}

/** Entries that stay behind, as filters of the old stream. */
export function leftBehind({ namespace, moved, taken }: Subjects): readonly string[] {
  return [`${namespace}.*.timer.>`, `${namespace}.*.cancelled.>`, moved, taken];
}

/** All of the control stream; floors are about partitions, so they are made anew afterwards. */
export function controlTransforms(from: Subjects, to: Subjects): readonly SubjectTransform[] {
  return [{ src: `${from.namespace}.control.>`, dest: `${to.namespace}.control.>` }];
}
