/**
 * The articles that the knowledge agent answers from, and the bundled knowledge base.
 *
 * Every topic has one article per language; both say the same. `keywords` are the phrases customers
 * use for the topic, as opposed to the words of the manual.
 */
import { z } from "zod";
import { type Category, categorySchema } from "../category.ts";
import { readNdjson } from "../data/read-ndjson.ts";
import { type Language, languageSchema } from "../language.ts";

/** An answer to a question in one language. */
export interface Article {
  /** The topic and the language, such as `hub-offline.en`. */
  readonly id: string;
  /** The same for all languages of an article. */
  readonly topic: string;
  readonly language: Language;
  readonly category: Category;
  readonly title: string;
  readonly keywords: readonly string[];
  readonly answer: string;
}

/** Validates an {@link Article}. */
const articleSchema: z.ZodType<Article> = z.object({
  id: z.string().min(1),
  topic: z.string().min(1),
  language: languageSchema,
  category: categorySchema,
  title: z.string().min(1),
  keywords: z.array(z.string().min(1)).min(1),
  answer: z.string().min(1),
});

/** The bundled articles. */
export function loadKnowledgeBase(): readonly Article[] {
  return readNdjson(new URL("../data/knowledge-base.ndjson", import.meta.url), articleSchema);
}
