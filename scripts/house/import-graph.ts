/**
 * The graph of imports among the source files of a package, types included.
 *
 * A knot is a set of folders, or of files, each of which needs every other one: the strongly
 * connected components of the graph (R. Tarjan, Depth-first search and linear graph algorithms,
 * 1972).
 */
import { posix } from "node:path";

/** A source file by its path from the package's `src`. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly from: string;
  readonly to: string;
}

const relative = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

/** Every import of one source by another one, once for each statement. */
export function importsOf(sources: readonly Source[]): readonly Import[] {
  const known = new Set(sources.map(({ path }) => path));
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(relative)]
      .map(([, target = ""]) => posix.join(posix.dirname(path), target))
      .filter((target) => known.has(target))
      .map((to) => ({ from: path, to })),
  );
}

/** The folder that holds a file. */
export function folderOf(path: string): string {
  return posix.dirname(path);
}

/** The first folder of a path. */
export function tierOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** The components with more than one member, the largest first; members in alphabetical order. */
export function knotsOf(imports: readonly Import[]): readonly (readonly string[])[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];

  const lower = (name: string, value: number): void => {
    low.set(name, Math.min(low.get(name) ?? value, value));
  };
  const close = (name: string): void => {
    const members = open.splice(open.indexOf(name));
    for (const member of members) isOpen.delete(member);
    if (members.length > 1) found.push(members.toSorted());
  };
  const visit = (name: string): void => {
    const index = order.size;
    order.set(name, index);
    lower(name, index);
    open.push(name);
    isOpen.add(name);
    for (const { to } of targets.get(name) ?? []) {
      if (!order.has(to)) {
        visit(to);
        lower(name, low.get(to) ?? index);
      } else if (isOpen.has(to)) lower(name, order.get(to) ?? index);
    }
    if (low.get(name) === index) close(name);
  };

  for (const name of targets.keys()) if (!order.has(name)) visit(name);
  return found.toSorted((a, b) => b.length - a.length);
}
