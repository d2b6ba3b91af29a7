/** The public packages, built and packed as they would be published. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { npm } from "./npm.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "packages");

/** A package that is published. */
export interface PublicPackage {
  readonly name: string;
  /** Path of its folder. */
  readonly path: string;
  /** Entry points that can be imported, such as "@troupe/core/log". */
  readonly entries: readonly string[];
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** Every package of the repository that is not private. */
export async function publicPackages(): Promise<PublicPackage[]> {
  const names = await readdir(folder);
  const all = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const text = await readFile(join(path, "package.json"), "utf8");
      return { path, manifest: JSON.parse(text) as Readonly<Record<string, unknown>> };
    }),
  );
  return all
    .filter(({ manifest }) => manifest["private"] !== true)
    .map(({ path, manifest }) => ({
      name: String(manifest["name"]),
      path,
      entries: entriesOf(manifest),
      manifest,
    }));
}

function entriesOf(manifest: Readonly<Record<string, unknown>>): string[] {
  const paths = Object.keys(manifest["exports"] ?? {});
  return paths
    .filter((path) => !path.endsWith(".json"))
    .map((path) => String(manifest["name"]) + path.slice(1));
}

/** Builds the packages and packs each into a tarball; resolves with their paths, by name. */
export async function packAll(into: string): Promise<ReadonlyMap<string, string>> {
  const packages = await publicPackages();
  await npm(["run", "build"], root);
  const packed = new Map<string, string>();
  for (const { name, path } of packages) {
    const { stdout } = await npm(["pack", "--json", "--pack-destination", into], path);
    const [made] = JSON.parse(stdout) as readonly { readonly filename: string }[];
    packed.set(name, join(into, made?.filename ?? ""));
  }
  return packed;
}
