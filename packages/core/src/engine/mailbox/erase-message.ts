/**
 * The word to an agent's worker that the agent was erased. It is a message, so it comes in the
 * agent's order and needs no connection to the worker: a worker that has the agent in memory
 * forgets it and starts again from the journal. The erasure itself does not depend on it.
 */
import type { AgentId } from "../../definition/message/address.ts";
import type { Input, InputDraft } from "../../definition/message/input.ts";
import { encodePayload } from "../../wire/payload.ts";

/** No message of an agent can have this name. */
const erasedMessage = "~erased";

export function erasedDraft(agent: AgentId, id: string): InputDraft {
  return {
    address: { kind: "agent", name: agent.type, key: agent.key },
    metadata: { id, message: erasedMessage, contentType: "application/msgpack" },
    payload: encodePayload({}),
  };
}

/** Whether an input is an erasure message: one of ours, which no foreign client can send (I14). */
export function isErased({ address, metadata }: Input): boolean {
  const { foreign, message } = metadata;
  return message === erasedMessage && address.kind === "agent" && foreign !== true;
}
