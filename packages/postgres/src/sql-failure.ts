/**
 * The meaning of a database's error for a projection: that it may pass, that the statement is
 * wrong, or that the error is not the database's.
 */
import { TroupeError } from "@troupe/core";
import { SinkRefusedError, SinkUnavailableError } from "@troupe/core/errors";
import { errorData } from "@troupe/core/log";

/** Classes of SQLSTATE after which the same transaction may succeed. */
const passing: ReadonlySet<string> = new Set([
  "08", // the connection
  "40", // serialization, deadlock
  "53", // disk, memory, connections
  "55", // a lock that was not available
  "57", // shut down, cancelled, starting up
  "58", // the system around it
]);
const network = /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN)/;
/** Messages of `pg` about lost connections, which come without a code. */
const lost =
  /connection (?:terminated|ended|timeout)|not queryable|timeout exceeded when trying to connect/i;
const causesMax = 16;
const sqlState = /^[0-9A-Z]{5}$/;

/**
 * The error to throw for one that ended a transaction. An error of the program that ran in it stays
 * as it is, unless the database's trouble is behind it.
 */
export function sinkFailure(projection: string, thrown: unknown): unknown {
  const cause = causes(thrown).find((each) => isPassing(each));
  if (cause !== undefined) {
    return new SinkUnavailableError(
      `PostgreSQL did not answer for the projection ${projection}: ${messageOf(cause)}. ` +
        "It is tried again from the stored checkpoint.",
      { details: { projection, sqlState: codeOf(cause) }, cause: thrown },
    );
  }
  if (!sqlState.test(codeOf(thrown)) || thrown instanceof TroupeError) return thrown;
  return new SinkRefusedError(
    `PostgreSQL refused a statement for the projection ${projection}: ${messageOf(thrown)}.`,
    { details: { projection, sqlState: codeOf(thrown) }, cause: thrown },
  );
}

function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (network.test(code)) return true;
  if (sqlState.test(code)) return passing.has(code.slice(0, 2));
  return code === "" && error instanceof Error && lost.test(errorData(error).message);
}

/** The error and what is behind it, outermost first. */
function causes(thrown: unknown): readonly unknown[] {
  const found: unknown[] = [];
  try {
    for (let each = thrown; each !== undefined && !found.includes(each);) {
      if (found.length === causesMax) break;
      const next = each instanceof Error ? each.cause : undefined;
      found.push(each);
      each = next;
    }
  } catch {
    // A proxy that refuses every question: what is behind it stays unknown.
  }
  return found;
}

function codeOf(error: unknown): string {
  try {
    const hasCode = typeof error === "object" && error !== null && "code" in error;
    return hasCode && typeof error.code === "string" ? error.code : "";
  } catch {
    return "";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : errorData(error).message;
}
