/**
 * Schemas are Standard Schema values (https://standardschema.dev): zod, valibot, arktype and
 * others, none of them a dependency of ours.
 */
import { thrownText } from "../errors/thrown.ts";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SchemaError } from "../errors/message-errors.ts";
import { isThenable } from "../wire/thenable.ts";

export type Schema = StandardSchemaV1;
/** Type of the values that a schema accepts. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>;
/** Type of the values that a schema returns. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** A reason why a value was refused. `path` is dotted, empty for the value itself. */
export interface SchemaIssue {
  readonly path: string;
  readonly message: string;
}

/**
 * Check a value; `what` names it for the error. Returns a promise only when the schema is
 * asynchronous, so that the hot path pays for none. @throws SchemaError
 */
export function validate(schema: Schema, value: unknown, what: string): unknown {
  try {
    const result = schema["~standard"].validate(value);
    return isThenable(result) ? settled(result, what) : valueOf(result, what);
  } catch (cause) {
    throw cause instanceof SchemaError ? cause : schemaThrew(what, cause);
  }
}

async function settled(
  result: PromiseLike<StandardSchemaV1.Result<unknown>>,
  what: string,
): Promise<unknown> {
  try {
    return valueOf(await result, what);
  } catch (cause) {
    throw cause instanceof SchemaError ? cause : schemaThrew(what, cause);
  }
}

/** A schema that stumbles over a value has not accepted it. */
function schemaThrew(what: string, cause: unknown): SchemaError {
  const why = thrownText(cause);
  return new SchemaError(`${what} made its schema throw: ${why}.`, { cause });
}

function valueOf(result: StandardSchemaV1.Result<unknown>, what: string): unknown {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, issuesMax).map(toIssue);
  const shown = issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  throw new SchemaError(`${what} does not fit its schema: ${shown.join("; ")}.`, {
    details: { issues },
  });
}

/** A record holds a few reasons, not thousands. */
const issuesMax = 8;

function toIssue(issue: StandardSchemaV1.Issue): SchemaIssue {
  const path = (issue.path ?? [])
    .map((segment) => String(typeof segment === "object" ? segment.key : segment))
    .join(".");
  return { path, message: issue.message };
}
