/** Sealing what a note says is personal. */
import type { AgentDefinition } from "../agent/agent-definition.ts";
import type { AgentReference } from "../agent/agent-reference.ts";
import type { AgentId } from "../log/address.ts";
import type { Log } from "../log/log.ts";
import type { TopicDefinition } from "../topic/topic.ts";
import { seal } from "./box.ts";
import { withField } from "./field-paths.ts";
import type { PersonalNote } from "./personal.ts";
import { personalOf, subjectOf } from "./personal.ts";
import type { SubjectKey } from "./subject-key.ts";
import { subjectKeys } from "./subject-keys.ts";

/** A value with its personal fields sealed. @throws NotStorableError */
export function sealedFields(value: unknown, { fields }: PersonalNote, key: SubjectKey): unknown {
  let sealed = value;
  for (const { erased, names } of fields) {
    sealed = withField(sealed, names, (part) => seal(part, [key], erased));
  }
  return sealed;
}

/** What is personal in a message; undefined also when the definition is not at hand. */
export function noteOfMessage(
  agent: AgentReference<unknown>,
  message: string,
): PersonalNote | undefined {
  const { messages } = agent as Partial<AgentDefinition>;
  const found = messages !== undefined && Object.hasOwn(messages, message) && messages[message];
  return found ? personalOf(found.schema) : undefined;
}

export function noteOfTopic({ schema }: TopicDefinition): PersonalNote | undefined {
  return personalOf(schema);
}

/** Whether an agent type declares anything personal. */
export function declaresPersonal({ events, messages, subscriptions }: AgentDefinition): boolean {
  return [events, messages, subscriptions].some((table) =>
    Object.values<{ readonly schema: AgentDefinition["messages"][string]["schema"] }>(table).some(
      ({ schema }) => personalOf(schema) !== undefined,
    ),
  );
}

/** A payload as it is stored. @throws KeysUnavailableError, NotStorableError, DefinitionError */
export async function sealedPayload(
  log: Log,
  note: PersonalNote,
  payload: unknown,
  agent: AgentId,
): Promise<unknown> {
  const subject = subjectOf(note, payload, agent);
  const key = (await subjectKeys(log).make([subject])).get(subject);
  return key === undefined ? payload : sealedFields(payload, note, key);
}
