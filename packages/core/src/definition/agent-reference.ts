/**
 * Talking to an agent type by name, without its definition: for tools, and where two definitions
 * would need each other.
 */
import { requireName } from "./name.ts";

/** The message types of an agent whose definition is not at hand: every name, any value. */
export type UntypedMessages = Readonly<
  Record<string, { readonly input: unknown; readonly reply: unknown }>
>;

/** Any agent type that messages can be sent to. */
export interface AgentReference<Messages> {
  readonly type: string;
  readonly "~types"?: { readonly messages: Messages };
}

/**
 * Refer to an agent type by its name. Its messages are then unchecked on this side; the agent still
 * checks them.
 *
 * @example
 * ```ts
 * await troupe.send(agentNamed("account"), "alice").deposit?.({ amount: 5 });
 * ```
 */
export function agentNamed(type: string): AgentReference<UntypedMessages> {
  requireName("agent type", type);
  return Object.freeze({ type });
}
