/**
 * Watches every interaction of the desk and scores it; a low score raises an alarm in the history.
 * The key is the conversation, so that effort (how often the customer had to write) is counted
 * where it belongs.
 */
import { agent } from "@troupe/core";
import { z } from "zod";

import { qualityAlarm, scoreInteraction } from "../quality/quality-score.ts";
import { analyseSentiment } from "../quality/sentiment.ts";
import { interactions } from "./topics.ts";

const scored = z.object({
  inquiryId: z.string(),
  score: z.number(),
  sentiment: z.number(),
  outcome: z.enum(["answered", "escalated"]),
});

export const quality = agent("quality")
  .state({ interactions: 0, alarms: 0, scoreSum: 0 })
  .event("scored", scored, (state, { score }) => ({
    ...state,
    interactions: state.interactions + 1,
    scoreSum: state.scoreSum + score,
  }))
  .event("alarmRaised", z.object({ inquiryId: z.string(), score: z.number() }), (state) => ({
    ...state,
    alarms: state.alarms + 1,
  }))
  .subscribe(interactions, (ctx, { inquiryId, outcome, confidence, text }) => {
    const sentiment = analyseSentiment(text).score;
    const turns = ctx.state.interactions + 1;
    const { score } = scoreInteraction({ outcome, confidence, sentiment, turns });
    ctx.emit.scored({ inquiryId, score, sentiment, outcome });
    if (score < qualityAlarm) ctx.emit.alarmRaised({ inquiryId, score });
  });
