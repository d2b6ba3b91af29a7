/** Names of topics and agent types as options that may be given several times. */
import { agentNamed } from "@troupe/core";
import { InvalidArgumentError } from "commander";
import { requireTopicName } from "./untyped-topic.ts";

/** @throws InvalidArgumentError */
export function collectTopics(
  name: string,
  before: readonly string[] | undefined,
): readonly string[] {
  return [...(before ?? []), named(() => requireTopicName(name), name)];
}

/** @throws InvalidArgumentError */
export function collectTypes(
  name: string,
  before: readonly string[] | undefined,
): readonly string[] {
  return [...(before ?? []), named(() => agentNamed(name), name)];
}

/** @throws InvalidArgumentError */
export function parseType(name: string): string {
  return named(() => agentNamed(name), name);
}

function named(check: () => unknown, name: string): string {
  try {
    check();
    return name;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
