/**
 * The version of the code that runs: that of the package of the process's entry point, from the
 * nearest package.json above it. A tool that runs the program, be it ours or another one, is not
 * the program: then the working directory says which it is.
 */
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** Version of code that has none. */
export const noVersion = "unversioned";

let known: string | undefined;

/** Code version of this process. */
export function codeVersion(): string {
  known ??= versionOf(process.argv[1], process.cwd());
  return known;
}

/** @param entry path of the script that the process was started with */
export function versionOf(entry: string | undefined, workingDirectory: string): string {
  const script = entry === undefined ? undefined : realPath(entry);
  const isTool = script === undefined || script.includes(`${sep}node_modules${sep}`);
  const own = isTool ? undefined : nearestPackage(dirname(script));
  const isOurs = own?.name?.startsWith("@troupe/") === true;
  const found = own === undefined || isOurs ? nearestPackage(workingDirectory) : own;
  return found?.version ?? noVersion;
}

interface Package {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
}

function nearestPackage(directory: string): Package | undefined {
  for (let current = directory; ; current = dirname(current)) {
    const found = packageIn(current);
    if (found !== undefined || dirname(current) === current) return found;
  }
}

/** The package.json of a directory; undefined when there is none that can be read. */
function packageIn(directory: string): Package | undefined {
  try {
    const text = readFileSync(join(directory, "package.json"), "utf8");
    const said = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    return { name: textOf(said?.["name"]), version: textOf(said?.["version"]) };
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
