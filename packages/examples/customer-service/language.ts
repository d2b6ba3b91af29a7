/**
 * Finds the language that an inquiry is written in.
 *
 * Customers mix: a Chinese sentence names an English product, hardly ever the other way round. Any
 * noticeable share of Han characters therefore makes a text Chinese, and no dictionary is needed.
 */
import { z } from "zod";

/** The languages that the knowledge base is written in. */
export const languages = ["en", "zh"] as const;

/** Language, out of {@link languages}. */
export type Language = (typeof languages)[number];

/** Validates a {@link Language}. */
export const languageSchema: z.ZodType<Language, Language> = z.enum(languages);

/**
 * A Han character carries about as much as a short word, so it counts for this many Latin letters.
 */
const lettersPerHanCharacter = 4;

/** The main language of a text; a text without letters counts as English. */
export function detectLanguage(text: string): Language {
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return han * lettersPerHanCharacter > latin ? "zh" : "en";
}
