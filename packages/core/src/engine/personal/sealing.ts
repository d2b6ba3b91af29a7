/** Sealing what a note says is personal. */
import { isDeepStrictEqual } from "node:util";

import type { AgentDefinition } from "../../definition/agent-definition.ts";
import type { AgentReference } from "../../definition/agent-reference.ts";
import { KeysUnavailableError } from "../../errors/personal-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import type { TopicDefinition } from "../../definition/topic.ts";
import { Sealed } from "../../wire/sealed.ts";
import { ignore, isThenable } from "../../wire/thenable.ts";
import { seal } from "./box.ts";
import { withField } from "../../definition/field-paths.ts";
import type { PersonalNote } from "../../definition/personal.ts";
import { personalOf, subjectOf } from "../../definition/personal.ts";
import type { SubjectKey } from "./subject-key.ts";
import { subjectKeys } from "./subject-keys.ts";

/** A value with its personal fields sealed. @throws NotStorableError */
export function sealedFields(value: unknown, { fields }: PersonalNote, key: SubjectKey): unknown {
  let sealed = value;
  for (const { erased, names } of fields) {
    sealed = withField(sealed, names, (part) =>
      part instanceof Sealed ? part : seal(part, [key], erased),
    );
  }
  return sealed;
}

/**
 * A message as it is stored. It travels as its schema accepts it, and its fields are named as they
 * are afterwards: one that the schema changes is sealed as a whole. Nothing stands in the place of
 * a message that was erased (SEAL-4), so only whoever looks into the log sees a difference.
 * @throws NotStorableError
 */
export function sealedMessage(value: unknown, note: PersonalNote, key: SubjectKey): unknown {
  const made = madeOf(note, value);
  const isSame = made !== undefined && isDeepStrictEqual(made.value, value);
  return isSame ? sealedFields(value, note, key) : seal(value, [key], undefined);
}

/**
 * Subject of the data in a message, by the value that its schema makes of it. @throws
 * DefinitionError
 */
export function subjectOfMessage(note: PersonalNote, value: unknown, agent: AgentId): string {
  return subjectOf(note, madeOf(note, value)?.value ?? value, agent);
}

/** Subject of the data in an ask and its answer; undefined when the callee declares none. */
export function subjectOfAsk(
  agent: AgentReference<unknown>,
  message: string,
  { callee, payload }: { readonly callee: AgentId; readonly payload: unknown },
): string | undefined {
  const note = noteOfMessage(agent, message);
  if (note !== undefined) return subjectOfMessage(note, payload, callee);
  return "messages" in agent && declaresPersonal(agent as AgentDefinition)
    ? agentName(callee)
    : undefined;
}

/** Value that the schema makes of this one; undefined when only the receiver knows. */
function madeOf({ schema }: PersonalNote, value: unknown): { readonly value: unknown } | undefined {
  const result = schema["~standard"].validate(value);
  if (!isThenable(result)) return result.issues === undefined ? result : undefined;
  ignore(result);
  return undefined;
}

/**
 * Declaration of the personal data in a message; undefined also when the definition is not at hand.
 */
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
export function declaresPersonal(definition: AgentDefinition): boolean {
  const known = declared.get(definition);
  if (known !== undefined) return known;
  const found = declaresAny(definition);
  declared.set(definition, found);
  return found;
}

const declared = new WeakMap<AgentDefinition, boolean>();

function declaresAny({ events, messages, subscriptions }: AgentDefinition): boolean {
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
  const subject = subjectOfMessage(note, payload, agent);
  const [key] = (await subjectKeys(log).make([subject])).values();
  if (key === undefined) throw new KeysUnavailableError(`No key of ${subject} was made.`);
  return sealedMessage(payload, note, key);
}
