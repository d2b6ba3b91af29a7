/**
 * Personal data of others in a state that may become a base record.
 *
 * A base record is all that is left of what came before it. Once somebody whose data it holds is
 * erased it cannot be read, and the whole state of the agent would be gone with that one person. So
 * only an agent's own data may be in it (BASE-5): with them goes what the agent was.
 */
import type { AgentDefinition } from "../../definition/agent-definition.ts";
import { ForeignSubjectsError } from "../../errors/state-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import { personalOf } from "../../definition/personal.ts";
import type { StateReferences } from "../personal/state-references.ts";
import { subjectKeys } from "../personal/subject-keys.ts";

/**
 * Checks a definition before it is hosted. @throws ForeignSubjectsError when it has a retention and
 * an event whose personal data may be of somebody else
 */
export function requireOwnSubjects({ events, keeps, type }: AgentDefinition): void {
  if (keeps === undefined) return;
  const event = Object.entries(events).find(
    ([, { schema }]) => personalOf(schema)?.subject !== undefined,
  );
  if (event === undefined) return;
  const [name] = event;
  throw new ForeignSubjectsError(
    `Agent ${type} has a retention, and its event ${name} names a data subject of its own (\`personal(schema, { subject })\`): once that person is erased, the state in a base record could not be read any more, and the agent would lose it. Keep people's data in agents of their own, or everything of this one.`,
    { details: { type, event: name } },
  );
}

/** Checks what is in a state. @throws ForeignSubjectsError, KeysUnavailableError */
export async function requireOwnSubject(
  log: Log,
  agent: AgentId,
  { all }: StateReferences,
): Promise<void> {
  const keys = subjectKeys(log);
  await keys.prepare();
  const name = agentName(agent);
  const own = keys.nameOf(name);
  if ([...all].every((reference) => reference.name === own)) return;
  throw new ForeignSubjectsError(
    `The state of ${name} holds personal data of others: it gets no base record, and its journal is not truncated.`,
    { details: { agent: name } },
  );
}
