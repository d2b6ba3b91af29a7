/**
 * Finds the article that answers a question, and says how sure it is.
 *
 * One full-text index per language ranks the articles by BM25: rare terms count more than common
 * ones, an article that matches several terms more than one that repeats a single term, title and
 * keywords more than the answer's text, names of products less than words for what is wanted.
 * English tolerates a typo and an unfinished word.
 *
 * The confidence is the product of two plain questions:
 *
 * 1. *Is there enough evidence?* `score / (score + 25)`: nothing for nothing, a half at 25, near
 *    one above 200.
 * 2. *Is the article clearly ahead of the next?* `1 - (next / score)³`: one without a rival, nought
 *    for a tie.
 *
 * Off-topic text finds little evidence, a vague question finds many rivals; either keeps it below
 * the threshold.
 */
import MiniSearch from "minisearch";
import type { Category } from "../category.ts";
import { detectLanguage, type Language, languages } from "../language.ts";
import { type Article, loadKnowledgeBase } from "./article.ts";
import { productTerms } from "./product-words.ts";
import { tokenize } from "./tokenize.ts";

/** An article found for a question. */
export interface KnowledgeMatch {
  readonly article: Article;
  /** From 0 to 1; see {@link answerThreshold}. Only the first of a ranking has any. */
  readonly confidence: number;
  /** The BM25 score; comparable within one search only. */
  readonly score: number;
  /** The terms of the question that the article matched. */
  readonly terms: readonly string[];
}

/** Options of a search. */
export interface KnowledgeSearchOptions {
  /** Language of the articles to search. @default the main language of the text */
  readonly language?: Language | undefined;
  /**
   * Category that the router found: its articles are preferred. @default
   * none
   */
  readonly category?: Category | undefined;
  /** The largest number of matches. @default 3 */
  readonly matchesMax?: number | undefined;
}

/** Ranks articles for a question, best first; empty when no term of the text occurs in any. */
export type KnowledgeSearch = (
  text: string,
  options?: KnowledgeSearchOptions,
) => readonly KnowledgeMatch[];

/** An answer with a higher confidence can be given without a person looking at it. */
export const answerThreshold = 0.8;

const matchesMaxDefault = 3;
const evidenceHalf = 25;
const productTermWeight = 0.4;
const categoryWeight = 1.6;
const fuzzyTermLengthMin = 5;
const prefixTermLengthMin = 4;

let bundled: KnowledgeSearch | undefined;

/** Searches the bundled knowledge base, which is indexed at the first call. */
export function searchKnowledge(
  text: string,
  options?: KnowledgeSearchOptions,
): readonly KnowledgeMatch[] {
  bundled ??= createKnowledgeSearch(loadKnowledgeBase());
  return bundled(text, options);
}

/** Indexes articles; a hundred of them take a fraction of a second. */
export function createKnowledgeSearch(articles: readonly Article[]): KnowledgeSearch {
  const byId = new Map(articles.map((article) => [article.id, article]));
  const indexes = new Map(languages.map((language) => [language, createIndex(articles, language)]));
  return (
    text,
    { language = detectLanguage(text), category, matchesMax = matchesMaxDefault } = {},
  ) => {
    const boostDocument = (id: string): number =>
      byId.get(id)?.category === category ? categoryWeight : 1;
    const results = indexes.get(language)?.search(text, { boostDocument }) ?? [];
    return results.slice(0, matchesMax).flatMap(({ id, score, queryTerms: terms }, rank) => {
      const article = byId.get(id as string);
      const confidence = rank === 0 ? confidenceOf(score, results[1]?.score ?? 0) : 0;
      return article === undefined ? [] : [{ article, confidence, score, terms }];
    });
  };
}

/**
 * Confidence of a ranking in its first article, given the scores of the first and of the second.
 */
export function confidenceOf(score: number, next: number): number {
  return score <= 0 ? 0 : (score / (score + evidenceHalf)) * (1 - (next / score) ** 3);
}

function createIndex(articles: readonly Article[], language: Language): MiniSearch<Article> {
  const isEnglish = language === "en";
  const index = new MiniSearch<Article>({
    fields: ["title", "keywords", "answer"],
    extractField: fieldText,
    tokenize,
    processTerm: (term) => term,
    searchOptions: {
      boost: { title: 3, keywords: 3, answer: 1 },
      boostTerm: (term) => (productTerms.has(term) ? productTermWeight : 1),
      fuzzy: (term) => (isEnglish && term.length >= fuzzyTermLengthMin ? 0.2 : false),
      prefix: (term) => isEnglish && term.length >= prefixTermLengthMin,
      weights: { fuzzy: 0.4, prefix: 0.5 },
    },
  });
  index.addAll(articles.filter((article) => article.language === language));
  return index;
}

/** Keywords are phrases: the full stop between them keeps terms from crossing their borders. */
function fieldText(article: Article, field: string): string {
  if (field === "keywords") return article.keywords.join("。");
  return field === "title" ? article.title : field === "answer" ? article.answer : article.id;
}
