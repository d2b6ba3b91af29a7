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
