/**
 * Removes from each package's `dist/` what the compiler made of a source that has moved or gone:
 * the compiler leaves it there, and it would be published. `npm run build` begins with it.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../packages", import.meta.url));

/** A script, a declaration or a map of either. */
const output = /(?:\.d)?\.(?:js|ts)(?:\.map)?$/;

for (const name of await readdir(folder)) {
  const sources = new Set(await filesBelow(join(folder, name, "src")));
  for (const file of await filesBelow(join(folder, name, "dist"))) {
    if (!output.test(file) || sources.has(file.replace(output, ".ts"))) continue;
    console.log(`removing packages/${name}/dist/${file}`);
    await rm(join(folder, name, "dist", file));
  }
}

/** Paths of all files below a folder, from there; none where there is no folder. */
async function filesBelow(path: string): Promise<string[]> {
  try {
    return await readdir(path, { recursive: true });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") return [];
    throw error;
  }
}
