/**
 * Decides by rules what an inquiry is about, and whether a person has to take over.
 *
 * The weights of all matching rules add up per category. The confidence is the winner's share of
 * all evidence, with one point of doubt added: `winner / (winner + runner-up + 1)`. So a single
 * hint gives 0.5, one strong rule 0.75, two of them 0.86, and two categories that are level stay
 * below a half however much speaks for each of them.
 *
 * A message inside a conversation often says little ("still red"). Without evidence of its own it
 * keeps the category of the message before it, and with evidence that category counts as a hint. A
 * router with a model behind it can ask the model whenever the confidence is low.
 */
import { categories, type Category } from "../category.ts";
import { type EscalationSignal, findEscalationSignals } from "./escalation-signals.ts";
import { loadRoutingRules, type RoutingRule } from "./routing-rules.ts";

/** The router's decision. */
export interface Route {
  readonly category: Category;
  /** From 0 to 1. */
  readonly confidence: number;
  /** The names of the rules that spoke for the category. */
  readonly matched: readonly string[];
  readonly signals: readonly EscalationSignal[];
  /** True when there is any signal: a person has to take over. */
  readonly escalate: boolean;
}

/** Options of {@link routeInquiry}. */
export interface RouteOptions {
  /** The category of the conversation's previous message. @default none */
  readonly previous?: Category | undefined;
}

const routingRules = loadRoutingRules();
const doubt = 1;
const previousWeight = 1;
/** Category of a text without any evidence: nothing in particular. */
const fallback: Category = "general";
const fallbackConfidence = 0.3;

/** Routes one text. Pure: the same text and options give the same route. */
export function routeInquiry(text: string, { previous }: RouteOptions = {}): Route {
  const rules = routingRules.filter((rule) => rule.pattern.test(text));
  const signals = findEscalationSignals(text);
  const winner = decide(weigh(rules, signals, previous));
  const matched = rules.filter((rule) => rule.category === winner.category).map(({ name }) => name);
  return { ...winner, matched, signals, escalate: signals.length > 0 };
}

type Weights = Readonly<Record<Category, number>>;

/**
 * Escalation signals speak for a complaint as well, except that a smell of burning is also a
 * technical matter.
 */
function weigh(
  rules: readonly RoutingRule[],
  signals: readonly EscalationSignal[],
  previous: Category | undefined,
): Weights {
  const weights = { faq: 0, technical: 0, billing: 0, complaint: 0, sales: 0, general: 0 };
  for (const { category, weight } of rules) weights[category] += weight;
  for (const signal of signals) weights.complaint += signal === "safety" ? 1 : 3;
  if (previous !== undefined && previous !== fallback) weights[previous] += previousWeight;
  return weights;
}

function decide(weights: Weights): Pick<Route, "category" | "confidence"> {
  const ranked = categories.toSorted((a, b) => weights[b] - weights[a]);
  const [category = fallback, second = fallback] = ranked;
  const top = weights[category];
  if (top === 0) return { category: fallback, confidence: fallbackConfidence };
  return { category, confidence: top / (top + weights[second] + doubt) };
}
