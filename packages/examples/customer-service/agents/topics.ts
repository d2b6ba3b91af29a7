/** The two topics of the desk: what customers write, and what the desk did with it. */
import { topic } from "@troupe/core";
import type { Topic } from "@troupe/core";
import { z } from "zod";
import { categorySchema } from "../category.ts";
import { inquirySchema } from "../inquiry.ts";
import type { Inquiry } from "../inquiry.ts";
import type { Category } from "../category.ts";

/** Inquiries as customers write them; the source is the conversation. */
export const inquiries: Topic<Inquiry, Inquiry> = topic("inquiries", inquirySchema);

/** An inquiry that was dealt with, by an answer or by handing it to a person. */
export interface Interaction {
  readonly inquiryId: string;
  readonly category: Category;
  /** The customer's words, without personal data. */
  readonly text: string;
  readonly outcome: "answered" | "escalated";
  /** Confidence of the desk, from 0 to 1. */
  readonly confidence: number;
}

const interactionSchema: z.ZodType<Interaction, Interaction> = z.object({
  inquiryId: z.string(),
  category: categorySchema,
  text: z.string(),
  outcome: z.enum(["answered", "escalated"]),
  confidence: z.number().min(0).max(1),
});

/** Interactions of the desk; the source is the conversation. */
export const interactions: Topic<Interaction, Interaction> = topic(
  "interactions",
  interactionSchema,
);
