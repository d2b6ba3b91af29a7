/**
 * Declaring which parts of a message, publication or event are personal data.
 *
 * `personal(schema, { fields: { name: "(erased)" } })` is the same schema with a note beside it. A
 * note inside a schema of another library would have to be found by knowing that library, and one
 * that is not found is a name in plain text for ever; so the fields are named beside the schema,
 * where the compiler holds them against it.
 */
import { DefinitionError } from "../errors/definition-errors.ts";
import type { AgentId } from "./message/address.ts";
import { agentName } from "./message/address.ts";
import type { OptionRules } from "./option-rules.ts";
import { requireOptions } from "./option-rules.ts";
import type { Schema, SchemaOutput } from "./schema.ts";
import { stored } from "../wire/storable.ts";
import type { Field, FieldAt, FieldPath } from "./field-paths.ts";

/** Values that stand at each field once its subject was erased, by path. */
export type PersonalFields<Value> = {
  readonly [Path in FieldPath<NonNullable<Value>>]?: FieldAt<NonNullable<Value>, Path>;
};

/** Names the person whose data these are: `customer/42`, or any other text that names a person. */
export type SubjectOf<Value> = (value: Value, agent: AgentId) => string;

interface SubjectOption<Value> {
  /**
   * Names the person whose data these are. @default the agent whose event or message it is, as
   * `type/key`; a topic has to say it
   */
  readonly subject?: SubjectOf<Value>;
}

export interface FieldsOptions<Value> extends SubjectOption<Value> {
  /**
   * The fields that are personal, by path (`name`, `address.street`, `notes.*.text`), each with the
   * value that stands there once the subject was erased. It must be what the schema would accept
   * there, because folds and projections get it.
   */
  readonly fields: PersonalFields<Value>;
}

export interface WholeOptions<Value> extends SubjectOption<Value> {
  /** The value is personal as a whole; this stands in its place once its subject was erased. */
  readonly erased: Value;
}

/** Options of `personal` besides the schema. */
export interface PersonalNote {
  readonly schema: Schema;
  readonly fields: readonly Field[];
  readonly subject: SubjectOf<unknown> | undefined;
}

/** A schema with a note about what is personal. */
export type Personal<S extends Schema> = Schema & {
  readonly "~standard": S["~standard"];
  readonly personal: PersonalNote;
};

/**
 * The schema, with a note which parts of its values are personal data. They are sealed with a key
 * of the person they are about before they are stored, and open for handlers, folds and
 * projections. Erasing the key (`troupe.erase`) erases them everywhere.
 *
 * @throws DefinitionError
 *
 * @example
 * ```ts
 * const registered = personal(z.object({ name: z.string(), plan: z.string() }), {
 *   fields: { name: "(erased)" },
 * });
 * agent("customer")
 *   .state({ name: "" })
 *   .event("registered", registered, (state, { name }) => ({ ...state, name }));
 * ```
 */
export function personal<const S extends Schema>(
  schema: S,
  options: FieldsOptions<SchemaOutput<S>> | WholeOptions<SchemaOutput<S>>,
): Personal<S> {
  const { erased, fields: named, subject } = options as GivenOptions;
  requireOptions("personal: ", options as object, named === undefined ? wholeRules : fieldsRules);
  const fields = named === undefined ? [fieldOf("", erased)] : fieldsOf(named);
  if (personalOf(schema) !== undefined) {
    throw invalid("is given a schema that is personal already: name all fields in one place.");
  }
  const note: PersonalNote = Object.freeze({
    schema,
    fields: Object.freeze(fields),
    subject,
  });
  return Object.freeze({ "~standard": schema["~standard"], personal: note });
}

/** The note of a schema; undefined when nothing in it is personal. */
export function personalOf(schema: Schema): PersonalNote | undefined {
  return (schema as Partial<Personal<Schema>>).personal;
}

/** Name of the person whose data the value holds. @throws DefinitionError */
export function subjectOf(note: PersonalNote, value: unknown, agent: AgentId): string {
  if (note.subject === undefined) return agentName(agent);
  const subject = note.subject(value, agent);
  if (typeof subject === "string" && subject !== "" && subject.isWellFormed()) return subject;
  throw new DefinitionError(
    `personal: subject named nobody for ${agentName(agent)}: return a text such as "customer/42".`,
    { details: { agent: agentName(agent) } },
  );
}

interface GivenOptions {
  readonly erased?: unknown;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly subject?: SubjectOf<unknown>;
}

const wholeRules: OptionRules<Omit<GivenOptions, "fields">> = {
  erased: "other",
  subject: "other",
};
const fieldsRules: OptionRules<Omit<GivenOptions, "erased">> = {
  fields: "other",
  subject: "other",
};

function fieldsOf(given: Readonly<Record<string, unknown>>): readonly Field[] {
  const fields = Object.entries(given).map(([path, erased]) => fieldOf(path, erased));
  if (fields.length === 0) throw invalid("names no field: say which are personal.");
  for (const { path } of fields) {
    const inner = fields.find((other) => other.path.startsWith(`${path}.`));
    if (inner === undefined) continue;
    throw invalid(`names ${path} and ${inner.path}, which lies in it: name one of them.`);
  }
  return fields;
}

function fieldOf(path: string, erased: unknown): Field {
  const names = path === "" ? [] : path.split(".");
  if (names.some((name) => name === "" || name === "__proto__")) {
    throw invalid(`cannot have a field ${JSON.stringify(path)}: join names by dots.`);
  }
  return Object.freeze({ path, names, erased: stored(erased, `personal: erased ${path}`) });
}

function invalid(why: string): DefinitionError {
  return new DefinitionError(`personal ${why}`);
}
