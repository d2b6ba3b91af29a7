/**
 * Payload of an outgoing message, in stored form and checked where it is given: the receiver checks
 * the same value against the same schema, so a value that passes here is not refused there. The
 * given value travels, not the result of the schema, because the receiver's schema makes that. An
 * asynchronous schema is left to the receiver, where a time limit watches it.
 */
import type { AgentDefinition } from "../../definition/agent-definition.ts";
import type { AgentReference } from "../../definition/agent-reference.ts";
import type { Schema } from "../../definition/schema.ts";
import { validate } from "../../definition/schema.ts";
import type { TopicDefinition } from "../../definition/topic.ts";
import { storedCopy } from "../../wire/storable.ts";
import { ignore } from "../../wire/thenable.ts";

/** Begins the message about a payload that can no longer be encoded. */
export const fromInterceptors = "What the interceptors made of the message";

/**
 * A message as it travels, checked by its schema when the definition is at hand.
 * @throws NotStorableError, SchemaError
 */
export function checkedMessage(
  agent: AgentReference<unknown>,
  message: string,
  given: unknown,
): unknown {
  const { messages } = agent as Partial<AgentDefinition>;
  const isDeclared = messages !== undefined && Object.hasOwn(messages, message);
  const schema = isDeclared ? messages[message]?.schema : undefined;
  return checkedBy(schema, given, `${agent.type}.${message}`);
}

/** @throws NotStorableError, SchemaError */
export function checkedPublication({ name, schema }: TopicDefinition, given: unknown): unknown {
  return checkedBy(schema, given, `Topic ${name}`);
}

function checkedBy(schema: Schema | undefined, given: unknown, what: string): unknown {
  const payload = storedCopy(given, what);
  // The refusal of an asynchronous one must not become an unhandled rejection here.
  if (schema !== undefined) ignore(validate(schema, payload, what));
  return payload;
}
