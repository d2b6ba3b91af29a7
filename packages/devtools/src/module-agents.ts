/** The agent definitions that a module of the user's exports. */
import type { AgentDefinition, AgentGroup } from "@troupe/core/engine";
import { CommandError, UsageError } from "./failure.ts";
import { importModule, listed } from "./import-module.ts";

export interface HostedAgent {
  readonly definition: AgentDefinition;
  /** The module as it was written on the command line. */
  readonly module: string;
}

/**
 * Import a module (a file, or a package installed here) and collect its agents: exports that are an
 * agent, a pipeline, or a list of them. With `names` only these exports. @throws UsageError,
 * CommandError
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
  const definitions = new Set(chosen.flat().flatMap(agentsOf).filter(isAgent));
  if (definitions.size === 0) {
    const what = names.length === 0 ? "" : ` as ${names.join(", ")}`;
    throw new CommandError(
      `${module} exports no agent${what} (what agent("…") returns); it exports ${listed(exported)}.`,
    );
  }
  return [...definitions].map((definition) => ({ definition, module }));
}

function agentsOf(value: unknown): readonly unknown[] {
  return isGroup(value) ? value.agents : [value];
}

function isGroup(value: unknown): value is AgentGroup {
  return (
    typeof value === "object" && value !== null && "agents" in value && Array.isArray(value.agents)
  );
}

function isAgent(value: unknown): value is AgentDefinition {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "agent";
}
