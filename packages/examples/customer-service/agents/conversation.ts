/**
 * A conversation with a customer, as it happened: what was asked, what was answered, what went to
 * a person.
 *
 * It holds no logic of the desk. Everything a person or a report wants to know about a conversation
 * is its history.
 */
import { agent } from "@troupe/core";
import { z } from "zod";
import { categorySchema } from "../category.ts";
import type { Category } from "../category.ts";
import { languageSchema } from "../language.ts";

/** An inquiry within the conversation. */
export interface Exchange {
  readonly inquiryId: string;
  /** The customer's words, without personal data. */
  readonly text: string;
  readonly category: Category;
  readonly status: "open" | "answered" | "escalated" | "resolved";
  /** Answer that the customer was told. */
  readonly answer?: string;
}

const asked = z.object({
  inquiryId: z.string(),
  text: z.string(),
  category: categorySchema,
  confidence: z.number(),
  language: languageSchema,
  /** Number of pieces of personal data that were taken out, by kind. */
  masked: z.record(z.string(), z.number()),
});

const answered = z.object({
  inquiryId: z.string(),
  articleId: z.string(),
  answer: z.string(),
  confidence: z.number(),
});

const escalated = z.object({ inquiryId: z.string(), queue: z.string(), reason: z.string() });

const resolved = z.object({ inquiryId: z.string(), by: z.string(), answer: z.string() });

interface ConversationState {
  readonly exchanges: readonly Exchange[];
}

const empty: ConversationState = { exchanges: [] };

export const conversation = agent("conversation")
  .state(empty)
  .event("asked", asked, ({ exchanges }, { inquiryId, text, category }) => ({
    exchanges: [...exchanges, { inquiryId, text, category, status: "open" }],
  }))
  .event("answered", answered, (state, { inquiryId, answer }) =>
    change(state, inquiryId, { status: "answered", answer }),
  )
  .event("escalated", escalated, (state, { inquiryId }) =>
    change(state, inquiryId, { status: "escalated" }),
  )
  .event("resolved", resolved, (state, { inquiryId, answer }) =>
    change(state, inquiryId, { status: "resolved", answer }),
  )
  .on("ask", asked, (ctx, inquiry) => ctx.emit.asked(inquiry))
  .on("answer", answered, (ctx, answer) => ctx.emit.answered(answer))
  .on("escalate", escalated, (ctx, escalation) => ctx.emit.escalated(escalation))
  .on("resolve", resolved, (ctx, resolution) => ctx.emit.resolved(resolution))
  .on("show", z.object({}), (ctx) => ctx.state.exchanges);

function change(
  { exchanges }: ConversationState,
  inquiryId: string,
  changes: Partial<Exchange>,
): ConversationState {
  return {
    exchanges: exchanges.map((exchange) =>
      exchange.inquiryId === inquiryId ? { ...exchange, ...changes } : exchange,
    ),
  };
}
