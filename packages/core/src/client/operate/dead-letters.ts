/** The dead letters of a system, in log order. */
import type { LogEntry } from "../../log/log.ts";
import type { Troupe } from "../troupe.ts";

/** A dead letter with its place on the log. */
export type PlacedLetter = LogEntry & { readonly kind: "dead-letter" };

export interface LetterFilter {
  /** Agent types whose letters are wanted; absent means all, also letters without an agent. */
  readonly types?: readonly string[] | undefined;
  /** Codes of the failures that are wanted; absent means all. */
  readonly codes?: readonly string[] | undefined;
  /** Ends the list early when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** Code of the failure in the dead letter that tells of a parked agent. */
export const parkedCode = "agent-parked";

/**
 * Lists the dead letters that are stored now, oldest first. @throws LogUnavailableError
 *
 * @example
 * ```ts
 * for await (const { deadLetter, position } of deadLetters(troupe, { codes: ["schema"] })) {
 *   console.log(position, deadLetter.origin, deadLetter.failure.message);
 * }
 * ```
 */
export async function* deadLetters(
  troupe: Pick<Troupe, "follow">,
  { codes, signal, types }: LetterFilter = {},
): AsyncGenerator<PlacedLetter> {
  const request = { from: 1, untilNow: true, kinds: ["dead-letter"], types, signal } as const;
  for await (const entry of troupe.follow(request)) {
    if (entry.kind !== "dead-letter") continue;
    if (codes?.includes(entry.deadLetter.failure.code) ?? true) yield entry;
  }
}
