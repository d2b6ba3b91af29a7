/**
 * A customer's message as it arrives, and the bundled file of them.
 *
 * The bundled inquiries drive the demo and the tests. They are in order of arrival: the
 * conversations are woven into each other as on a real desk, and within a conversation the order
 * matters. `expected` is the label that the router is measured against; a live inquiry has none.
 */
import { z } from "zod";
import { type Category, categorySchema } from "./category.ts";
import { readNdjson } from "./data/read-ndjson.ts";
import { type Language, languageSchema } from "./language.ts";

/** A message of a conversation. */
export interface Inquiry {
  readonly id: string;
  readonly conversation: string;
  /** Channel that it came from, such as `web-chat` or `email`. */
  readonly channel: string;
  /** As declared by the channel; most channels know it, some do not. */
  readonly language?: Language | undefined;
  readonly text: string;
}

/** An inquiry of the bundled file, with the category a person gave it. */
export interface LabelledInquiry extends Inquiry {
  readonly expected: { readonly category: Category };
}

/** Validates an {@link Inquiry}. Texts are limited to 10 000 characters. */
export const inquirySchema: z.ZodType<Inquiry, Inquiry> = z.object({
  id: z.string().min(1),
  conversation: z.string().min(1),
  channel: z.string().min(1),
  language: languageSchema.optional(),
  text: z.string().min(1).max(10_000),
});

const labelledInquirySchema: z.ZodType<LabelledInquiry> = z.intersection(
  inquirySchema,
  z.object({ expected: z.object({ category: categorySchema }) }),
);

/** The bundled inquiries, in order of arrival. */
export function loadInquiries(): readonly LabelledInquiry[] {
  return readNdjson(new URL("./data/inquiries.ndjson", import.meta.url), labelledInquirySchema);
}
