/**
 * Answers from the knowledge base when it is sure, and otherwise hands the inquiry to a person. The
 * key is the conversation.
 */
import { agent } from "@troupe/core";
import { z } from "zod";
import { categorySchema } from "../category.ts";
import { answerThreshold, searchKnowledge } from "../knowledge/knowledge-search.ts";
import { languageSchema } from "../language.ts";
import { conversation } from "./conversation.ts";
import { human } from "./human.ts";
import { interactions } from "./topics.ts";

const lookup = z.object({
  inquiryId: z.string(),
  text: z.string(),
  category: categorySchema,
  language: languageSchema,
});

const outcome = z.object({ inquiryId: z.string(), confidence: z.number() });

export const knowledge = agent("knowledge")
  .state({ found: 0, missed: 0 })
  .event("found", outcome.extend({ articleId: z.string() }), (state) => ({
    ...state,
    found: state.found + 1,
  }))
  .event("missed", outcome, (state) => ({ ...state, missed: state.missed + 1 }))
  .on("lookUp", lookup, (ctx, { inquiryId, text, category, language }) => {
    const { key } = ctx.agent;
    const best = searchKnowledge(text, { language, category })[0];
    const confidence = best?.confidence ?? 0;
    if (best !== undefined && confidence > answerThreshold) {
      const { id: articleId, answer } = best.article;
      ctx.emit.found({ inquiryId, confidence, articleId });
      ctx.send(conversation, key).answer({ inquiryId, articleId, answer, confidence });
      ctx.publish(interactions, key, {
        inquiryId,
        category,
        text,
        outcome: "answered",
        confidence,
      });
    } else {
      const reason = `no article above ${answerThreshold} confidence`;
      ctx.emit.missed({ inquiryId, confidence });
      ctx.send(human, category).enqueue({ inquiryId, conversation: key, text, reason });
      ctx.publish(interactions, key, {
        inquiryId,
        category,
        text,
        outcome: "escalated",
        confidence,
      });
    }
  });
