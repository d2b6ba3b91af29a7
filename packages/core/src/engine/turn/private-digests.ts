/**
 * Digests in the records of agents that declare personal data. Those of the namespace can be made
 * again by whoever has a backup of the log, to try what a name may have been. So these are hashed
 * once more, with a secret that lies where the keys are.
 */
import type { OpenTurn } from "./open-turn.ts";
import type { Digests } from "../../wire/digests.ts";
import { subjectKeys } from "../personal/subject-keys.ts";

export function digestsOfTurn({ host, runtime }: Pick<OpenTurn, "host" | "runtime">): Digests {
  const { digests } = host.identity;
  if (!runtime.personal) return digests;
  const keys = subjectKeys(host.log);
  return {
    keyId: digests.keyId,
    of: (value) => keys.blinded(digests.of(value)),
    ofPayload: (payload) => keys.blinded(digests.ofPayload(payload)),
  };
}
