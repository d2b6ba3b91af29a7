/** Address of a message, and of the agent that a journal belongs to. */

/** An agent, by its type and its key. */
export interface AgentId {
  readonly type: string;
  readonly key: string;
}

/**
 * The destination of an input: one agent's mailbox, or a topic. For a topic the key is the
 * publication's source, and every subscribed agent type handles it in its agent of that key.
 */
export interface Address {
  readonly kind: "agent" | "topic";
  /** Agent type or topic name. */
  readonly name: string;
  readonly key: string;
}

/**
 * `type/key`, as people write and read it.
 *
 * @example
 * ```ts
 * agentName({ type: "account", key: "alice" }); // "account/alice"
 * ```
 */
export function agentName(agent: AgentId): string {
  return `${agent.type}/${agent.key}`;
}

/**
 * The agent that `type/key` names; the key may itself contain slashes.
 *
 * @example
 * ```ts
 * parseAgentName("account/a/b"); // { type: "account", key: "a/b" }
 * ```
 */
export function parseAgentName(name: string): AgentId | undefined {
  const slash = name.indexOf("/");
  if (slash < 1 || slash === name.length - 1) return undefined;
  return { type: name.slice(0, slash), key: name.slice(slash + 1) };
}
