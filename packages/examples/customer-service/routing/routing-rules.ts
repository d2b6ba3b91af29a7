/**
 * The router's knowledge: which words speak for which category, and how strongly.
 *
 * A weight says what a word proves on its own: 1 is a hint, 2 makes a category likely, 3 settles it
 * against any hint, and 4 is for anger, which outweighs the matter that caused it. Words for things
 * ("lock", "vacuum") are no rules, since people ask about, buy, return and break the same things;
 * words for what is wanted or wrong are. The rules are a data file, so that a support team can
 * extend them without touching code.
 */
import { z } from "zod";
import { type Category, categorySchema } from "../category.ts";
import { readNdjson } from "../data/read-ndjson.ts";
import { compileWords } from "./compile-words.ts";

/** A group of words with a common meaning, in both languages. */
export interface RoutingRule {
  readonly category: Category;
  /** Names the rule in the router's answer, so that a decision can be explained. */
  readonly name: string;
  /** From 1 to 4. */
  readonly weight: number;
  readonly pattern: RegExp;
}

const routingRuleSchema: z.ZodType<RoutingRule> = z
  .object({
    category: categorySchema,
    name: z.string().min(1),
    weight: z.int().min(1).max(4),
    words: z.array(z.string().min(1)).min(1),
  })
  .transform(({ category, name, weight, words }) => {
    return { category, name, weight, pattern: compileWords(words) };
  });

/** The bundled rules. All are tried on every text, so their order does not matter. */
export function loadRoutingRules(): readonly RoutingRule[] {
  return readNdjson(new URL("../data/routing-rules.ndjson", import.meta.url), routingRuleSchema);
}
