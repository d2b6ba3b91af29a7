/**
 * A topic: a named subject that events are published on. Anybody may publish, with any NATS client;
 * agent types subscribe, and the agent whose key is the publication's source handles it.
 */
import { requireName } from "./name.ts";
import { DefinitionError } from "../errors/definition-errors.ts";
import { personalOf } from "./personal.ts";
import type { TopicRetention } from "./retention-rule.ts";
import { requireTopicRetention } from "./retention-rule.ts";
import { requireOptions } from "./option-rules.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";

/** A topic as plain data, whatever its type. */
export interface TopicDefinition {
  readonly kind: "topic";
  readonly name: string;
  readonly schema: Schema;
  /** Time that publications are kept, once all subscribers have handled them. @default for ever */
  readonly retention?: TopicRetention | undefined;
}

export interface TopicOptions {
  /**
   * Time that a publication is kept, by the workers whose agents subscribe to it. One that is not
   * handled stays, and so does one whose dead letter can be redriven. @default for ever
   */
  readonly retention?: TopicRetention;
}

/** A topic whose publications are `Input` for the publisher and `Output` for the subscriber. */
export interface Topic<Input, Output> extends TopicDefinition {
  /** Only for type inference; never present at run time. */
  readonly "~types"?: { readonly input: Input; readonly output: Output };
}

/**
 * Declare a topic. @param name one subject token: letters, digits, `-`, `_`. @throws
 * DefinitionError
 *
 * @example
 * ```ts
 * const inquiries = topic("inquiries", z.object({ text: z.string() }));
 * const clicks = topic("clicks", z.object({ at: z.string() }), {
 *   retention: { ageMs: 86_400_000 },
 * });
 * ```
 */
export function topic<const S extends Schema>(
  name: string,
  schema: S,
  options: TopicOptions = {},
): Topic<SchemaInput<S>, SchemaOutput<S>> {
  requireName("topic", name);
  requireSubject(name, schema);
  requireOptions(`Topic ${name}: `, options, { retention: "other" });
  const { retention } = options;
  if (retention === undefined) return Object.freeze({ kind: "topic", name, schema });
  const kept = requireTopicRetention(name, retention);
  return Object.freeze({ kind: "topic", name, schema, retention: kept });
}

/** A publication is for agents of any type, so nothing says whose data it has. */
function requireSubject(name: string, schema: Schema): void {
  const note = personalOf(schema);
  if (note === undefined || note.subject !== undefined) return;
  throw new DefinitionError(
    `Topic ${name} has personal data, and does not say whose: give \`personal\` a subject, such as (event, { key }) => \`customer/\${key}\`.`,
    { details: { topic: name } },
  );
}
