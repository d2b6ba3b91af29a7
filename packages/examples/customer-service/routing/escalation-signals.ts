/**
 * Signals that a person has to take over, whatever the category says.
 *
 * - `human`: the customer asks for a person.
 * - `legal`: lawyers, courts, consumer protection.
 * - `repeat`: the same matter was raised before without success.
 * - `safety`: something burns, melts or opens by itself.
 */
import { z } from "zod";
import { readNdjson } from "../data/read-ndjson.ts";
import { compileWords } from "./compile-words.ts";

/** All signals, in the order in which they are reported. */
export const escalationSignals = ["human", "legal", "repeat", "safety"] as const;

/** Reason for which a conversation has to be escalated. */
export type EscalationSignal = (typeof escalationSignals)[number];

const signalPatterns = readNdjson(
  new URL("../data/escalation-signals.ndjson", import.meta.url),
  z
    .object({ signal: z.enum(escalationSignals), words: z.array(z.string().min(1)).min(1) })
    .transform(({ signal, words }) => ({ signal, pattern: compileWords(words) })),
);

/** The signals in a text; none means that nothing forces an escalation. */
export function findEscalationSignals(text: string): readonly EscalationSignal[] {
  return signalPatterns.filter(({ pattern }) => pattern.test(text)).map(({ signal }) => signal);
}
