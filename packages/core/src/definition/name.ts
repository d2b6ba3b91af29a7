/** Names of agent types, topics, messages and events: one readable subject token each. */
import { DefinitionError } from "../errors/definition-errors.ts";

const pattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

export function requireName(kind: string, name: string): void {
  if (pattern.test(name)) return;
  throw new DefinitionError(
    `${JSON.stringify(name)} is no usable name (${kind}): use a letter, then up to 63 letters, digits, "-" or "_".`,
    { details: { kind, name } },
  );
}

/**
 * The name of a message or an event: it becomes a method of what is sent through and emitted with.
 */
export function requireMethodName(kind: string, name: string): void {
  requireName(kind, name);
  if (!isReserved(name)) return;
  throw new DefinitionError(
    `${JSON.stringify(name)} cannot be the name of a ${kind}: JavaScript itself calls a method of this name, as \`await\` does with "then". Choose another one.`,
    { details: { kind, name } },
  );
}

/** Names that JavaScript looks up by itself: to await, print or compare an object. */
export function isReserved(name: string): boolean {
  return reserved.has(name);
}

const reserved: ReadonlySet<string> = new Set(["then", "toJSON", "toString", "valueOf"]);
