/** A bucket as one line, for a command line or a variable. */
import { DefinitionError } from "@troupe/core/errors";

import type { S3Options } from "./s3-options.ts";

/**
 * The options of `s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1`.
 * Credentials are not part of it.
 *
 * @throws DefinitionError
 *
 * @example
 * ```ts
 * const store = s3Store(s3OptionsOf("s3://archive/troupe?region=eu-central-1"));
 * ```
 */
export function s3OptionsOf(address: string): S3Options {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "s3:" || url.hostname === "" || url.username !== "") {
    throw new DefinitionError(
      "An archive's bucket is written s3://bucket/prefix?endpoint=https://…&region=…, without credentials.",
    );
  }
  const known = ["endpoint", "region"];
  const unknown = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new DefinitionError(
      `${unknown} is no part of an archive's bucket; there are: ${known.join(", ")}.`,
    );
  }
  return {
    bucket: url.hostname,
    prefix: url.pathname.replaceAll(/^\/|\/$/g, "") || undefined,
    endpoint: url.searchParams.get("endpoint") ?? undefined,
    region: url.searchParams.get("region") ?? undefined,
  };
}
