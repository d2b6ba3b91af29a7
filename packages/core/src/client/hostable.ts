/** Agents and pipelines that a worker is given to host. */
import type { AgentDefinition, Hostable } from "../definition/agent-definition.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import { requireOwnSubjects } from "../engine/retention/own-subject.ts";

/** The agents of an agent, or of a pipeline. */
export function agentsOf(hostable: Hostable): readonly AgentDefinition[] {
  return "agents" in hostable ? hostable.agents : [hostable];
}

/**
 * Checks what a worker is to host. @throws DefinitionError for none at all, and for two of one
 * type; ForeignSubjectsError
 */
export function requireHostable(definitions: readonly AgentDefinition[]): void {
  const types = definitions.map((definition) => definition.type);
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) {
    throw new DefinitionError(`Two agents of the type ${twice} were given to one worker.`, {
      details: { type: twice },
    });
  }
  if (types.length === 0) {
    throw new DefinitionError("A worker needs at least one agent to host.");
  }
  for (const definition of definitions) requireOwnSubjects(definition);
}
