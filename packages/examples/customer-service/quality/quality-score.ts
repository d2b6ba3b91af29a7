/**
 * The quality of an interaction, as one number that can be watched over time.
 *
 * Three parts, each from 0 to 1: was the matter *resolved*, in what *mood* is the customer, and how
 * much *effort* did it take them. Resolution counts half, because a friendly conversation without a
 * result is no service. Handing over to a person is half a resolution: right, but not done yet.
 */

/** Facts about an interaction that its score is made of. */
export interface ScoredInteraction {
  readonly outcome: "answered" | "escalated";
  /** Confidence of the desk in its answer, from 0 to 1. */
  readonly confidence: number;
  /** Of the customer's words, from -1 to 1. */
  readonly sentiment: number;
  /** Number of messages that the customer has written so far, this one included. */
  readonly turns: number;
}

/** The score and what it is made of, all from 0 to 1. */
export interface QualityScore {
  readonly score: number;
  readonly resolution: number;
  readonly mood: number;
  readonly effort: number;
}

const weights = Object.freeze({ resolution: 0.5, mood: 0.3, effort: 0.2 });
const escalatedResolution = 0.5;
/** The number of further messages at which the effort counts half. */
const turnsHalf = 4;

/** Scores below this deserve a look by a person. */
export const qualityAlarm = 0.4;

/** Scores one interaction; out-of-range input is taken as the nearest value in range. */
export function scoreInteraction(interaction: ScoredInteraction): QualityScore {
  const { outcome, confidence, sentiment, turns } = interaction;
  const resolution = outcome === "answered" ? clamp(confidence) : escalatedResolution;
  const mood = clamp((sentiment + 1) / 2);
  const effort = 1 / (1 + Math.max(0, turns - 1) / turnsHalf);
  const score = weights.resolution * resolution + weights.mood * mood + weights.effort * effort;
  return { score, resolution, mood, effort };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
