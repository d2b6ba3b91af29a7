/** Names in SQL. */
import { DefinitionError } from "@troupe/core/errors";

const bytesMax = 63;

/**
 * A quoted identifier. PostgreSQL would cut a longer one without a word. @throws DefinitionError
 */
export function identifier(name: string): string {
  if (name === "" || name.includes("\0") || Buffer.byteLength(name) > bytesMax) {
    throw new DefinitionError(
      `${JSON.stringify(name)} cannot name a schema: PostgreSQL takes 1 to ${bytesMax} bytes.`,
      { details: { name } },
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}
