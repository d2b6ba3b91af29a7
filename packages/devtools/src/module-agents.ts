/** The agent definitions that a module of the user's exports. */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AgentDefinition } from "@troupe/core";
import { CommandError, UsageError } from "./failure.ts";

export interface HostedAgent {
  readonly definition: AgentDefinition;
  /** The module as it was written on the command line. */
  readonly module: string;
}

/**
 * Import a module (a file, or a package installed here) and collect its agents: exports that are an
 * agent, or a list of agents. With `names` only these exports. @throws UsageError, CommandError
 */
export async function moduleAgents(
  module: string,
  names: readonly string[] = [],
): Promise<readonly HostedAgent[]> {
  const exported = await importModule(module);
  const missing = names.find((name) => !Object.hasOwn(exported, name));
  if (missing !== undefined) {
    throw new UsageError(`${module} has no export ${missing}; it exports ${listed(exported)}.`);
  }
  const chosen = names.length === 0 ? Object.values(exported) : names.map((name) => exported[name]);
  const definitions = new Set(chosen.flat().filter(isAgent));
  if (definitions.size === 0) {
    const what = names.length === 0 ? "" : ` as ${names.join(", ")}`;
    throw new CommandError(
      `${module} exports no agent${what} (what agent("…") returns); it exports ${listed(exported)}.`,
    );
  }
  return [...definitions].map((definition) => ({ definition, module }));
}

async function importModule(module: string): Promise<Readonly<Record<string, unknown>>> {
  const url = locate(module);
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new CommandError(`${module} cannot be imported:${importFailure(cause)}`, { cause });
  }
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

function isAgent(value: unknown): value is AgentDefinition {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "agent";
}

function listed(exported: Readonly<Record<string, unknown>>): string {
  return Object.keys(exported).join(", ") || "nothing";
}
