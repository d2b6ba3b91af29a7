/**
 * A topic whose definition is not at hand: every value passes here, and the subscribers check it.
 */
import { topic } from "@troupe/core";
import type { Topic } from "@troupe/core";

/** @throws DefinitionError when the name cannot name a topic */
export function untypedTopic(name: string): Topic<unknown, unknown> {
  return topic(name, {
    "~standard": { version: 1, vendor: "troupe", validate: (value: unknown) => ({ value }) },
  });
}

/** @throws DefinitionError when the name cannot name a topic */
export function requireTopicName(name: string): void {
  untypedTopic(name);
}
