/** The schema of what a pipeline's own agents send to each other: it was made here, so it fits. */
import type { Schema } from "../schema.ts";

export type SchemaOf<Value> = Schema & {
  readonly "~standard": { readonly types?: { readonly input: Value; readonly output: Value } };
};

export function anything<Value>(): SchemaOf<Value> {
  return {
    "~standard": {
      version: 1,
      vendor: "troupe",
      validate: (value) => ({ value: value as Value }),
    },
  };
}
