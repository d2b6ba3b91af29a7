/**
 * Reads every inquiry first: takes out personal data, decides what it is about, and passes it on.
 * The key is the conversation, so an inquiry that says little can be read in the light of the one
 * before it.
 *
 * Publishers of our own mask before they publish (see `mask-interceptor.ts`); this is the second
 * line, for everybody else: nothing that a turn stores or sends has personal data in it.
 */
import { agent } from "@troupe/core";
import { z } from "zod";
import { categorySchema } from "../category.ts";
import type { Category } from "../category.ts";
import { detectLanguage } from "../language.ts";
import { maskPii } from "../pii/mask-pii.ts";
import { routeInquiry } from "../routing/route-inquiry.ts";
import type { Route } from "../routing/route-inquiry.ts";
import { conversation } from "./conversation.ts";
import { human } from "./human.ts";
import { knowledge } from "./knowledge.ts";
import { inquiries, interactions } from "./topics.ts";

const routed = z.object({
  inquiryId: z.string(),
  category: categorySchema,
  confidence: z.number(),
  rules: z.array(z.string()),
  signals: z.array(z.string()),
});

interface RouterState {
  readonly routed: number;
  /** Category that the conversation was last about. */
  readonly previous?: Category;
}

const empty: RouterState = { routed: 0 };

export const router = agent("router")
  .state(empty)
  .event("routed", routed, (state, { category }) => ({
    routed: state.routed + 1,
    previous: category,
  }))
  .subscribe(inquiries, (ctx, inquiry) => {
    const { key } = ctx.agent;
    const { text, found } = maskPii(inquiry.text);
    const route = routeInquiry(text, { previous: ctx.state.previous });
    const { category, confidence } = route;
    const inquiryId = inquiry.id;
    const language = inquiry.language ?? detectLanguage(text);
    ctx.emit.routed({
      inquiryId,
      category,
      confidence,
      rules: [...route.matched],
      signals: [...route.signals],
    });
    ctx
      .send(conversation, key)
      .ask({ inquiryId, text, category, confidence, language, masked: found });
    if (mayAnswerFromKnowledge(route)) {
      ctx.send(knowledge, key).lookUp({ inquiryId, text, category, language });
      return;
    }
    const reason = escalationReason(route);
    ctx.send(human, category).enqueue({ inquiryId, conversation: key, text, reason });
    ctx.publish(interactions, key, { inquiryId, category, text, outcome: "escalated", confidence });
  });

/**
 * Complaints, sales and everything that asks for a person go to people; the rest is looked up
 * first.
 */
function mayAnswerFromKnowledge({ category, escalate }: Route): boolean {
  return !escalate && category !== "complaint" && category !== "sales";
}

function escalationReason({ category, signals }: Route): string {
  return signals.length > 0 ? `signals: ${signals.join(", ")}` : `${category} goes to a person`;
}
