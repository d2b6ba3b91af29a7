/** An agent on the command line: `<type>/<key>`. */
import { parseAgentName } from "@troupe/core/log";
import type { AgentId } from "@troupe/core/log";
import { InvalidArgumentError } from "commander";

/** @throws InvalidArgumentError */
export function parseAgentArgument(text: string): AgentId {
  const agent = parseAgentName(text);
  if (agent !== undefined) return agent;
  throw new InvalidArgumentError("Write an agent as type/key, for example account/alice.");
}
