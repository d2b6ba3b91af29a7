/**
 * Schemas are Standard Schema values (https://standardschema.dev): zod, valibot, arktype and others, none of them a
 * dependency of ours.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SchemaError } from "../errors/message-errors.ts";

export type Schema = StandardSchemaV1;
/** What a schema accepts. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>;
/** What a schema makes of it. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** One reason why a value was refused. `path` is dotted, empty for the value itself. */
export interface SchemaIssue {
  readonly path: string;
  readonly message: string;
}

/**
 * Check a value; `what` names it for the error. Returns a promise only when the schema is asynchronous, so that the hot
 * path pays for none. @throws SchemaError
 */
export function validate(schema: Schema, value: unknown, what: string): unknown {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise
    ? result.then((settled) => valueOf(settled, what))
    : valueOf(result, what);
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
