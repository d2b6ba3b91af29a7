import * as fc from "fast-check";
import { expect, test } from "vitest";
import { qualityAlarm, type ScoredInteraction, scoreInteraction } from "./quality-score.ts";

const good: ScoredInteraction = { outcome: "answered", confidence: 1, sentiment: 1, turns: 1 };

test("the best interaction scores 1: answered surely, at once, to a delighted customer", () => {
  expect(scoreInteraction(good)).toEqual({ score: 1, resolution: 1, mood: 1, effort: 1 });
});

test("an angry customer who is handed over after many messages raises the alarm", () => {
  const { score } = scoreInteraction({ ...good, outcome: "escalated", sentiment: -0.8, turns: 9 });
  expect(score).toBeLessThan(qualityAlarm);
});

test("a neutral customer with a sure answer does not raise the alarm", () => {
  expect(scoreInteraction({ ...good, confidence: 0.85, sentiment: 0 }).score).toBeGreaterThan(0.7);
});

test("a hand-over does not depend on how sure the desk was", () => {
  const low = scoreInteraction({ ...good, outcome: "escalated", confidence: 0 });
  const high = scoreInteraction({ ...good, outcome: "escalated", confidence: 1 });
  expect(low).toEqual(high);
});

test("each further message, a worse mood and a less sure answer lower the score", () => {
  const property = fc.property(interactions, (interaction) => {
    const { confidence, sentiment, turns } = interaction;
    const { score } = scoreInteraction(interaction);
    expect(scoreInteraction({ ...interaction, turns: turns + 1 }).score).toBeLessThan(score);
    const worseMood = { ...interaction, sentiment: sentiment - 0.1 };
    expect(scoreInteraction(worseMood).score).toBeLessThanOrEqual(score);
    const lessSure = { ...interaction, confidence: confidence - 0.1 };
    expect(scoreInteraction(lessSure).score).toBeLessThanOrEqual(score);
  });
  fc.assert(property);
});

test("every part of a score is between 0 and 1", () => {
  const property = fc.property(interactions, (interaction) => {
    for (const part of Object.values(scoreInteraction(interaction))) {
      expect(part).toBeGreaterThanOrEqual(0);
      expect(part).toBeLessThanOrEqual(1);
    }
  });
  fc.assert(property);
});

const interactions: fc.Arbitrary<ScoredInteraction> = fc.record({
  outcome: fc.constantFrom("answered" as const, "escalated" as const),
  confidence: fc.double({ min: -1, max: 2, noNaN: true }),
  sentiment: fc.double({ min: -2, max: 2, noNaN: true }),
  turns: fc.integer({ min: 1, max: 1000 }),
});
