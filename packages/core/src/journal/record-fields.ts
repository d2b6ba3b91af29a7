/** Fields that every record of a kind has. */
import { UndecodablePayloadError } from "../errors/message-errors.ts";

/** @throws UndecodablePayloadError when one of these fields is missing or of another type */
export function requireFields(
  kind: string,
  wire: object,
  fields: Readonly<Record<string, "number" | "string">>,
): void {
  const found = wire as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    if (typeof found[name] === fields[name]) continue;
    throw new UndecodablePayloadError(
      `A journal record of the kind ${kind} has no ${name}: it was not written by Troupe, or damaged.`,
      { details: { kind, field: name } },
    );
  }
}
