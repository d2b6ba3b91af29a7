/**
 * Fields of a handler's log line, in which a value that is not storable becomes text. They can
 * always be printed and sent on, and a handler never fails because it logged an error or a
 * connection.
 */
import { thrownTitle } from "../../errors/thrown.ts";
import { storedCopy } from "../../wire/storable.ts";

export type LogFields = Readonly<Record<string, unknown>>;

export function loggedFields(fields: LogFields): LogFields {
  try {
    return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, told(value)]));
  } catch (thrown) {
    return { fields: thrownTitle(thrown) };
  }
}

function told(value: unknown): unknown {
  try {
    return storedCopy(value, "It");
  } catch (thrown) {
    return value instanceof Error ? thrownTitle(value) : thrownTitle(thrown);
  }
}
