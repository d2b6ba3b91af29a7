/** Failures that are no failures: the worker stops, and takes from its turns whom they ask. */
import { AskDeadlineError } from "../../errors/ask-errors.ts";
import { StoppedError, TurnGivenBackError } from "../../errors/definition-errors.ts";
import { tryRead } from "../../errors/thrown.ts";
import type { AgentId } from "../../definition/message/address.ts";
import { agentName } from "../../definition/message/address.ts";
import type { TroupeError } from "../../errors/troupe-error.ts";

const kinds = [TurnGivenBackError, AskDeadlineError, StoppedError];

/** Error that a handler gets whose turn is given back (STOP-3). */
export function givenBack(agent: AgentId, why: string): TurnGivenBackError {
  const name = agentName(agent);
  return new TurnGivenBackError(
    `The worker stops, and a turn of ${name} is given back because ${why}: the next worker runs it again.`,
    { details: { agent: name } },
  );
}

/** Whether a turn may fail with this because its worker stops (STOP-3). */
export function isOfStopping(thrown: unknown): thrown is TroupeError {
  return tryRead(() => kinds.some((each) => thrown instanceof each), false);
}
