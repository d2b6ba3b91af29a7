/**
 * Categories of inquiries: the six kinds of work the router tells apart.
 *
 * `faq`, `technical` and `billing` go to the knowledge agent first, `complaint` to a person,
 * `sales` to the sales desk, and `general` is everything that asks for nothing in particular.
 */
import { z } from "zod";

/** All categories, in the order in which reports list them. */
export const categories = ["faq", "technical", "billing", "complaint", "sales", "general"] as const;

/** Category, out of {@link categories}. */
export type Category = (typeof categories)[number];

/** Validates a {@link Category}. */
export const categorySchema: z.ZodType<Category, Category> = z.enum(categories);
