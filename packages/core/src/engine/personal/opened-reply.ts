/** A reply that was read from the journal, for whoever asked. */
import { PersonalDataErasedError } from "../../errors/personal-errors.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { Log } from "../../log/log.ts";
import type { Reply } from "../../journal/reply.ts";
import { Sealed } from "../../wire/sealed.ts";
import { openValue } from "./opening.ts";
import { subjectKeys } from "./subject-keys.ts";

/** @throws KeysUnavailableError, MissingKeyError, CorruptSealError */
export async function openedReply(log: Log, agent: AgentId, reply: Reply): Promise<Reply> {
  if (!(reply.value instanceof Sealed)) return reply;
  const value = await openValue(subjectKeys(log), reply.value, "sealed");
  if (!(value instanceof Sealed)) return { value };
  const name = agentName(agent);
  const failure = new PersonalDataErasedError(
    `The reply of ${name} was erased with the personal data in it; the message was handled.`,
    { details: { agent: name } },
  );
  return { failure: failure.toData() };
}
