/**
 * Schema of a message that says nothing but its name: `.on("ping", handler)`. Clients of other
 * languages have to send something, so null and an empty object count as nothing.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";

/** Schema that accepts nothing, and returns undefined. */
export type NoPayload = StandardSchemaV1<void, undefined>;

export const noPayload: NoPayload = Object.freeze({
  "~standard": Object.freeze({
    version: 1,
    vendor: "troupe",
    validate: (value: unknown) =>
      isNothing(value)
        ? { value: undefined }
        : { issues: [{ message: "the message takes no payload: leave it out" }] },
  }),
});

/** Whether a handler stands in the place of a schema; some schemas are functions, too. */
export function isHandler(given: unknown): boolean {
  return typeof given === "function" && !("~standard" in given);
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return (
    typeof value === "object" &&
    !Array.isArray(value) &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.keys(value).length === 0
  );
}
