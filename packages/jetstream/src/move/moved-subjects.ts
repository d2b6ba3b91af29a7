/**
 * Where the messages of one namespace lie in another one with another number of partitions, told to
 * the server: it moves the subjects itself, with the same hash as our client.
 *
 * Timers are not among them: the server would fire them into the old namespace. Markers of a relay
 * or of cancelled timers are about what stays behind.
 */
import type { Subjects } from "../subjects.ts";

export interface SubjectTransform {
  readonly src: string;
  readonly dest: string;
}

/** The subjects of the log's stream. No two of them overlap. */
export function logTransforms(from: Subjects, to: Subjects): readonly SubjectTransform[] {
  const old = from.namespace;
  const beginning = (token: number): string =>
    `${to.namespace}.{{partition(${to.partitions},${token})}}`;
  const [second, third, fourth] = [2, 3, 4].map((token) => `{{wildcard(${token})}}`);
  return [
    { src: `${old}.*.in.*.*.*`, dest: `${beginning(4)}.in.${second}.${third}.${fourth}` },
    { src: `${old}.*.journal.*.*`, dest: `${beginning(3)}.journal.${second}.${third}` },
    { src: `${old}.*.dead.*.*`, dest: `${beginning(3)}.dead.${second}.${third}` },
    { src: `${old}.*.dead.*.*.*`, dest: `${beginning(3)}.dead.${second}.${third}.${fourth}` },
    { src: `${old}.0.dead.*`, dest: `${to.namespace}.0.dead.{{wildcard(1)}}` },
    { src: from.misfit, dest: to.misfit },
  ];
}

/** What stays behind, as filters of the old stream. */
export function leftBehind({ namespace, moved, taken }: Subjects): readonly string[] {
  return [`${namespace}.*.timer.>`, `${namespace}.*.cancelled.>`, moved, taken];
}

/** All of the control stream; floors are about partitions, so they are made anew afterwards. */
export function controlTransforms(from: Subjects, to: Subjects): readonly SubjectTransform[] {
  return [{ src: `${from.namespace}.control.>`, dest: `${to.namespace}.control.>` }];
}
