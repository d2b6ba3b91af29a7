/**
 * From the subject of a stored message to the address it was sent to. Runs once per input, so no
 * regular expressions.
 */
import type { TroupeError } from "@troupe/core";
import { InvalidKeyError } from "@troupe/core/errors";
import { keyToToken, tokenToKey, type Address } from "@troupe/core/log";

import { restStart, type Subjects } from "./subjects.ts";

/** An address, or the closest thing to one with the reason why it is none. */
export interface ParsedSubject {
  readonly address: Address;
  readonly fault: TroupeError | undefined;
}

/** The partitioned subject our own client publishes to. @throws InvalidKeyError */
export function inputSubject(subjects: Subjects, { key, kind, name }: Address): string {
  const token = keyToToken(key);
  if (keyToToken(name) !== name) throw badName(name);
  return subjects.input(kind, name, token);
}

/**
 * Beginning of the id of a message under this subject, where the server compares ids: its address,
 * whatever the partition; empty for a subject that is no input's.
 */
export function idScope(subjects: Subjects, subject: string): string {
  const address = restStart(subjects, subject, "in");
  return address < 0 ? "" : `${subject.slice(address)}:`;
}

/** Whether the message under this subject is an input, well-formed or not. */
export function isInputSubject(subjects: Subjects, subject: string): boolean {
  return restStart(subjects, subject, "in") >= 0 || subject === subjects.unroutable;
}

/**
 * The address in `<ns>.<partition>.in.<kind>.<name>.<token>`, or, with a fault, whatever comes
 * closest to one in another subject.
 */
export function parseInputSubject(subjects: Subjects, subject: string): ParsedSubject {
  const kindStart = restStart(subjects, subject, "in");
  if (kindStart < 0) return unroutable(subjects, subject);
  const nameStart = subject.indexOf(".", kindStart) + 1;
  const tokenStart = nameStart === 0 ? 0 : subject.indexOf(".", nameStart) + 1;
  if (tokenStart === 0) return unroutable(subjects, subject);
  const kind = subject.slice(kindStart, nameStart - 1);
  if (kind !== "topic" && kind !== "agent") return unroutable(subjects, subject);
  const name = subject.slice(nameStart, tokenStart - 1);
  const token = subject.slice(tokenStart);
  try {
    return { address: { kind, name, key: tokenToKey(token) }, fault: undefined };
  } catch (error) {
    const fault = error instanceof InvalidKeyError ? error : badSubject(subject, error);
    return { address: { kind, name, key: token }, fault };
  }
}

function unroutable(subjects: Subjects, subject: string): ParsedSubject {
  const rest = subject.slice(subjects.namespace.length + 1).split(".");
  const kind = rest[0] === "agent" ? "agent" : "topic";
  const address: Address = { kind, name: rest[1] ?? "", key: rest.slice(2).join(".") };
  return { address, fault: badSubject(subject) };
}

/** The subject is not the address of an agent or a topic. */
export function badSubject(subject: string, cause?: unknown): InvalidKeyError {
  const message =
    `The subject ${subject} is not an address: write <namespace>.topic.<topic>.<source> or ` +
    `<namespace>.agent.<type>.<key>, with dots in the last part written as %2E.`;
  return new InvalidKeyError(message, { details: { subject }, cause });
}

function badName(name: string): InvalidKeyError {
  return new InvalidKeyError(
    `${JSON.stringify(name)} cannot be the name of a topic or an agent type: it must be one subject token.`,
    { details: { name } },
  );
}
