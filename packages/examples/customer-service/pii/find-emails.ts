/**
 * E-mail addresses.
 *
 * Only ASCII addresses count: in Chinese an address stands between characters without a space, so anything wider would
 * swallow the sentence around it. A Chinese full stop typed instead of the dot (`a@example。com`) is accepted once.
 */
import { matchSpans, type PiiSpan } from "./span.ts";

/** The local part is limited to 64 characters by the mail standard, which also bounds the search. */
const email =
  /(?:[A-Za-z0-9._%+'-]{1,64})@[A-Za-z0-9-]{1,63}(?:(?:\.[A-Za-z0-9-]{1,63}){1,8}|[。｡][A-Za-z0-9-]{2,63})/;

/** All e-mail addresses of a half-width text. */
export function findEmails(text: string): readonly PiiSpan[] {
  return text.includes("@") ? matchSpans(text, "email", email) : [];
}
