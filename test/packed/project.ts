/** Fresh projects that install the packed packages, as somebody does who has never seen us. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { npm, type Said } from "./npm.ts";
import type { PublicPackage } from "./packages.ts";

/** Kind of a project. */
export interface ProjectKind {
  readonly type: "module" | "commonjs";
  /** Further packages that it installs, such as "typescript@5.9". */
  readonly installs: readonly string[];
}

/** A folder with everything installed. */
export interface Project {
  readonly path: string;
  /** Output of npm while it installed. */
  readonly said: Said;
}

/** Makes a project in a folder that does not exist yet, with every public package. */
export async function makeProject(
  path: string,
  { type, installs }: ProjectKind,
  tarballs: Iterable<string>,
): Promise<Project> {
  await mkdir(path, { recursive: true });
  await writeFile(
    join(path, "package.json"),
    JSON.stringify({ name: "fresh", private: true, type }),
  );
  const said = await npm(["install", ...tarballs, ...installs], path);
  return { path, said };
}

/** The tarballs of these packages and of those that they depend on: no registry has them. */
export function tarballsOf(
  names: readonly string[],
  packages: readonly PublicPackage[],
  tarballs: ReadonlyMap<string, string>,
): string[] {
  const wanted = new Set(names);
  for (const name of wanted) {
    const found = packages.find((each) => each.name === name);
    const needs = Object.keys(found?.manifest["dependencies"] ?? {});
    for (const need of needs) if (tarballs.has(need)) wanted.add(need);
  }
  return [...wanted].map((name) => tarballs.get(name) ?? `${name} is not a package of ours`);
}
