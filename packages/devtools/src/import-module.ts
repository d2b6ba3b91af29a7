/** Importing a module of the user's, and saying readably why that fails. */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError, UsageError } from "./failure.ts";
import { refusedByNode, useTsx } from "./with-tsx.ts";

/** Exports of a module, by name. */
export type Exported = Readonly<Record<string, unknown>>;

/** Import a file, or a package installed here. @throws UsageError, CommandError */
export async function importModule(module: string): Promise<Exported> {
  const url = locate(module);
  try {
    return (await import(url)) as Exported;
  } catch (cause) {
    return importedAnyhow(module, url, cause);
  }
}

/** Imports a module that Node refuses, with the tsx of the project. @throws CommandError */
async function importedAnyhow(module: string, url: string, cause: unknown): Promise<Exported> {
  const refused = refusedByNode(url, cause);
  try {
    if (refused !== "no" && (await useTsx(url))) return (await import(url)) as Exported;
  } catch (again) {
    throw cannotImport(module, again, "");
  }
  throw cannotImport(module, cause, refused === "certainly" ? tsxHint : "");
}

const tsxHint =
  "\nNode runs TypeScript by erasing its types, which does not do here. With tsx in the project " +
  "(npm install --save-dev tsx) troupe loads the module through it; or name the compiled file.";

function cannotImport(module: string, cause: unknown, hint: string): CommandError {
  return new CommandError(`${module} cannot be imported:${importFailure(cause)}${hint}`, { cause });
}

function locate(module: string): string {
  const path = resolve(module);
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return pathToFileURL(path).href;
    throw new UsageError(`${module} is a folder: name the file that exports the agents.`);
  }
  try {
    const found = createRequire(resolve("package.json")).resolve(module);
    return pathToFileURL(found).href;
  } catch (cause) {
    throw new UsageError(`There is no file ${module} (looked in ${process.cwd()}).`, { cause });
  }
}

/** The stack, with the place in the user's code, without the lines of Node's loader and ours. */
function importFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return ` ${String(cause)}`;
  const ours = pathToFileURL(import.meta.dirname).href;
  const isForeign = (line: string): boolean =>
    !/^\s+at /.test(line) || !(/[ (]node:/.test(line) || line.includes(ours));
  const text = (cause.stack ?? String(cause)).split("\n").filter(isForeign).join("\n");
  return text.includes("\n") ? `\n${text}` : ` ${text}`;
}

/** The names of the exports, for messages. */
export function listed(exported: Exported): string {
  return Object.keys(exported).join(", ") || "nothing";
}
