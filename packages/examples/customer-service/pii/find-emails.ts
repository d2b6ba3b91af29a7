/**
 * E-mail addresses.
 *
 * Only ASCII addresses count: in Chinese an address stands between characters without a space, so
 * anything wider would swallow the sentence around it. A Chinese full stop typed instead of the dot
 * (`a@example。com`) is accepted once.
 */
import { matchSpans, type PiiSpan } from "./span.ts";

/** The mail standards limit the local part to 64 characters and a label to 63; so is the search. */
const local = "[A-Za-z0-9._%+'-]{1,64}";
const label = "[A-Za-z0-9-]{1,63}";
const email = new RegExp(`${local}@${label}(?:(?:\\.${label}){1,8}|[。｡]${label})`);

/** All e-mail addresses of a half-width text. */
export function findEmails(text: string): readonly PiiSpan[] {
  return text.includes("@") ? matchSpans(text, "email", email) : [];
}
