/** A field inside a payload, named by a dotted path: `conversation.id`. */

/** The field as text, or undefined when there is none or it is no text or number. */
export function fieldText(value: unknown, path: string): string | undefined {
  let found: unknown = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name))
      return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  if (typeof found === "number") return String(found);
  return typeof found === "string" && found !== "" ? found : undefined;
}
