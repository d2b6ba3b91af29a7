/**
 * TypeScript that Node does not run: it erases types, so enums, parameter properties, decorators
 * and imports that name the compiled file need a tool. Where `tsx` is installed beside the module
 * it is used; it is the user's, of the version that the project has chosen.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Codes of Node for TypeScript that another tool could run. */
const refusals: ReadonlySet<unknown> = new Set([
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_DIR_IMPORT",
]);

/** Whether a failed import is one that tsx may manage: certainly, perhaps, or not. */
export function refusedByNode(url: string, cause: unknown): "certainly" | "perhaps" | "no" {
  if (!/\.[cm]?tsx?$/.test(url) || !(cause instanceof Error)) return "no";
  const { code, url: missing } = cause as Error & { readonly code?: string; readonly url?: string };
  if (refusals.has(code)) return "certainly";
  if (code === "ERR_MODULE_NOT_FOUND") return hasSource(missing) ? "certainly" : "perhaps";
  return cause instanceof SyntaxError ? "perhaps" : "no";
}

/** From now on modules are loaded through the tsx of the project. False when it has none. */
export async function useTsx(url: string): Promise<boolean> {
  const api = tsxOf(url);
  if (api === undefined) return false;
  const { register } = (await import(pathToFileURL(api).href)) as {
    readonly register: () => unknown;
  };
  register();
  return true;
}

function tsxOf(url: string): string | undefined {
  try {
    return createRequire(url).resolve("tsx/esm/api");
  } catch {
    return undefined;
  }
}

/** `./dep.js` is not there and `./dep.ts` is. */
function hasSource(missing: string | undefined): boolean {
  if (missing?.startsWith("file:") !== true) return false;
  const path = fileURLToPath(missing);
  const stem = path.slice(0, path.length - extname(path).length);
  return [".ts", ".tsx", ".mts", ".cts"].some((extension) => existsSync(stem + extension));
}
