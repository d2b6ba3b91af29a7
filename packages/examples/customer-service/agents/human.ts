/**
 * The queue of what people have to answer; the key is the queue's name.
 *
 * Waiting for a person holds nothing but state: an item lies here until somebody resolves it, in
 * minutes or in days.
 *
 * ```sh
 * troupe ask human/billing list {}
 * troupe send human/billing resolve '{"inquiryId": "i-003", "by": "night shift", "answer": "We have
 * refunded you."}'
 * ```
 */
import { agent, Reject } from "@troupe/core";
import { z } from "zod";
import { conversation } from "./conversation.ts";

const item = z.object({
  inquiryId: z.string(),
  conversation: z.string(),
  text: z.string(),
  reason: z.string(),
});

const resolution = z.object({ inquiryId: z.string(), by: z.string(), answer: z.string() });

interface HumanState {
  /** Items that wait, oldest first. */
  readonly waiting: readonly z.infer<typeof item>[];
  readonly resolved: number;
}

const empty: HumanState = { waiting: [], resolved: 0 };

export const human = agent("human")
  .state(empty)
  .event("queued", item, (state, queued) => ({ ...state, waiting: [...state.waiting, queued] }))
  .event("resolved", resolution, ({ waiting, resolved }, { inquiryId }) => ({
    waiting: waiting.filter((waitingItem) => waitingItem.inquiryId !== inquiryId),
    resolved: resolved + 1,
  }))
  .on("enqueue", item, (ctx, queued) => {
    const { inquiryId, reason } = queued;
    ctx.emit.queued(queued);
    ctx
      .send(conversation, queued.conversation)
      .escalate({ inquiryId, queue: ctx.agent.key, reason });
    return { ahead: ctx.state.waiting.length - 1 };
  })
  .on("list", z.object({}), (ctx) => ctx.state.waiting)
  .on("resolve", resolution, (ctx, { inquiryId, by, answer }) => {
    const found = ctx.state.waiting.find((waitingItem) => waitingItem.inquiryId === inquiryId);
    if (found === undefined) throw new Reject("nothing of this id waits here", { inquiryId });
    ctx.emit.resolved({ inquiryId, by, answer });
    ctx.send(conversation, found.conversation).resolve({ inquiryId, by, answer });
    return { left: ctx.state.waiting.length };
  });
