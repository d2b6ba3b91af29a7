/** Reads one line of the input as a publication. */
import { fieldText } from "./field-path.ts";
import type { Line } from "./read-lines.ts";

export interface Publication {
  readonly source: string;
  /** Message id, when the line has one. */
  readonly id: string | undefined;
  readonly payload: unknown;
}

/** Fields that source and id come from. */
export interface PublicationFields {
  readonly source: string | undefined;
  readonly sourceField: string | undefined;
  readonly idField: string | undefined;
}

/** A line that is no publication; reported with the line's number. */
export class BadLineError extends Error {
  override readonly name = "BadLineError";
}

/** @throws BadLineError */
export function publicationOf(line: Line, fields: PublicationFields): Publication {
  if (line.text === undefined) throw new BadLineError(line.problem);
  const payload = parse(line.text);
  const { idField, sourceField } = fields;
  return {
    source: fields.source ?? required(payload, sourceField ?? "", "source"),
    id: idField === undefined ? undefined : required(payload, idField, "id"),
    payload,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BadLineError(`it is not JSON: ${why}`, { cause });
  }
}

function required(payload: unknown, path: string, what: string): string {
  const text = fieldText(payload, path);
  if (text !== undefined) return text;
  throw new BadLineError(`it has no text or number at ${path} for the ${what}`);
}
