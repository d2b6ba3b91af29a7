/** Meaning of a stream's refusal to the engine. */
import type { TroupeError } from "@troupe/core";
import { LogRefusedError, LogUnavailableError, RevisionConflictError } from "@troupe/core/errors";

import { LogMovedError } from "./errors.ts";
import type { ApiError } from "./pub-ack.ts";

interface ServerCodes {
  readonly wrongLastSequence: number;
  readonly wrongLastSequenceInProcess: number;
  readonly batchIncomplete: number;
  readonly duplicateInProcess: number;
  readonly accountFull: number;
  readonly consumersMax: number;
  readonly sealed: number;
}

/** Server error codes this package decides on. */
export const serverCode: ServerCodes = Object.freeze({
  wrongLastSequence: 10071,
  /** The same, while another write to the subject is still on its way through the cluster. */
  wrongLastSequenceInProcess: 10164,
  batchIncomplete: 10176,
  /**
   * The same message id is on its way through the cluster: a moment later it is either stored or
   * free again.
   */
  duplicateInProcess: 10158,
  /** The account has no room left; somebody removes something, or gives it more. */
  accountFull: 10002,
  consumersMax: 10026,
  /** The stream takes nothing any more, for ever: the log was moved. */
  sealed: 10109,
});

/** Whether the expected revision was not the last one. */
export function isConflict(error: ApiError): boolean {
  const { err_code: code } = error;
  return code === serverCode.wrongLastSequence || code === serverCode.wrongLastSequenceInProcess;
}

/** A write to journals was refused. `agents` is for people: the agents whose turns were in it. */
export function commitError(error: ApiError, agents: string): TroupeError {
  if (!isConflict(error)) return publishError(error, `The commit of ${agents}`);
  return new RevisionConflictError(
    `The journal of ${agents} has grown (${error.description}); nothing was stored. ` +
      `Reload it and decide again.`,
    { details: { agents, serverCode: error.err_code } },
  );
}

/** A message was not accepted: its fence, or any other refusal. */
export function acceptError(error: ApiError, what: string): TroupeError {
  const details = { serverCode: error.err_code };
  if (error.err_code === serverCode.wrongLastSequence) {
    return new RevisionConflictError(
      `${what} was not stored: the journal of its sender has grown (${error.description}).`,
      { details },
    );
  }
  if (error.err_code === serverCode.wrongLastSequenceInProcess) {
    return new LogUnavailableError(`${what} waits for another write: ${error.description}.`, {
      details,
    });
  }
  return publishError(error, what);
}

/**
 * Any other refusal: temporary ones are retryable, the rest is final. Nothing was stored in either
 * case.
 */
export function publishError(error: ApiError, what: string): TroupeError {
  const details = { serverCode: error.err_code, description: error.description };
  if (error.err_code === serverCode.sealed) {
    return new LogMovedError(
      `${what} was not stored: the log was moved into another namespace. Connect to that, and try again there with the same id.`,
      { details },
    );
  }
  if (isTemporary(error)) {
    return new LogUnavailableError(`${what} was not stored: ${error.description}. Try again.`, {
      details,
    });
  }
  return new LogRefusedError(`${what} was refused: ${error.description}. Nothing was stored.`, {
    details,
  });
}

/**
 * Overload, a full store, no leader, a batch that a change of leader cut in two, an id that is
 * being stored.
 */
export function isTemporary({ code, err_code: serverError }: ApiError): boolean {
  return code >= 500 || code === 429 || temporary.has(serverError);
}

/** The server gives these as refusals of the request, and they pass all the same. */
const temporary: ReadonlySet<number> = new Set([
  serverCode.batchIncomplete,
  serverCode.duplicateInProcess,
  serverCode.accountFull,
  serverCode.consumersMax,
]);
