/** The agents that are fuzzed, and the one that lives beside them and must not notice. */
import { agent, topic, type Agent } from "@troupe/core";
import { z } from "zod";

const anything = z.unknown();

/** Anybody publishes anything on it. */
const noise = topic("noise", anything);

type Target = Agent<
  object,
  { readonly kept: unknown; readonly noted: { readonly n: number } },
  {
    readonly note: { readonly input: { readonly n: number }; readonly reply: number };
    readonly keep: { readonly input: unknown; readonly reply: void };
  }
>;

/** Takes what it can: small numbers by schema, anything at all by another message, and noise. */
export const target: Target = agent("target")
  .event("kept", anything, (state) => state)
  .event("noted", z.object({ n: z.number() }), (state) => state)
  .on("note", z.object({ n: z.number() }), (context, { n }) => {
    context.emit.noted({ n });
    return n;
  })
  .on("keep", anything, (context, value) => context.emit.kept(value))
  .subscribe(noise, (context, value) => context.emit.kept(value));

type Neighbour = Agent<
  object,
  { readonly noted: { readonly n: number } },
  { readonly note: { readonly input: { readonly n: number }; readonly reply: void } }
>;

/** Gets nothing but good messages, numbered. */
export const neighbour: Neighbour = agent("neighbour")
  .event("noted", z.object({ n: z.int() }), (state) => state)
  .on("note", z.object({ n: z.int() }), (context, { n }) => context.emit.noted({ n }));
