/**
 * Address to which a reply may be sent (I14): an inbox, and never anything else. A worker publishes
 * to the address that a message names, so an address that were a journal's subject, or one of the
 * server's own, would be written to with the worker's rights.
 */
import { DefinitionError } from "@troupe/core/errors";

import type { Subjects } from "./subjects.ts";

/** The first token of every inbox of ours, whatever follows. */
const inboxRoot = "_INBOX";

/** Longest address that is one, in characters. */
export const addressLengthMax = 256;

/** Tokens of visible characters without wildcards. */
// oxlint-disable-next-line no-control-regex -- control characters are what no address has.
const literal = /^[^\s.*>\u0000-\u0020\u007f-\u00a0]+(\.[^\s.*>\u0000-\u0020\u007f-\u00a0]+)*$/;

/** Workers send replies below this prefix. @throws DefinitionError */
export function requireInboxPrefix(prefix: string): void {
  if ((prefix === inboxRoot || prefix.startsWith(`${inboxRoot}.`)) && isLiteral(prefix)) return;
  throw new DefinitionError(
    `${JSON.stringify(prefix)} cannot be the prefix of inboxes: workers send replies to _INBOX and what is below it, such as _INBOX.asker.`,
    { details: { inboxPrefix: prefix } },
  );
}

/** Whether a worker sends replies to this address. */
export function isReplyAddress(address: string, subjects: Subjects): boolean {
  if (address.startsWith(`${inboxRoot}.`)) return isLiteral(address);
  return isForeignReplyAddress(address, subjects);
}

/** Whether a foreign client may name this address. */
export function isForeignReplyAddress(address: string, subjects: Subjects): boolean {
  return address.startsWith(subjects.foreignReplyPrefix) && isLiteral(address);
}

function isLiteral(address: string): boolean {
  return address.length <= addressLengthMax && literal.test(address);
}
