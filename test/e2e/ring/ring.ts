/**
 * Agents in a ring, which hand numbers on in every way there is: by a message, a timer, after an
 * ask, and by a publication. Each notes what it was handed, so what is lost, comes twice or comes
 * to the wrong one is seen in the end.
 */
import { agent, agentNamed, topic, type Topic } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import { z } from "zod";

export interface Baton {
  /** Number of the run, from 0. */
  readonly run: number;
  /** Number of times that it was handed on. */
  readonly hop: number;
  readonly hopsMax: number;
}

const baton = z.object({ run: z.int(), hop: z.int(), hopsMax: z.int() });

export const ringSize = 24;

const handed: Topic<Baton, Baton> = topic("handed", baton);
const next = (key: string): string => String((Number(key) + 1) % ringSize);
const ring = agentNamed("ring");

export const echo: AgentDefinition = agent("echo").on("say", baton, (_, message) => message);

const says = agentNamed("echo");

interface Ring {
  readonly seen: readonly string[];
}

export const ringAgent = agent("ring")
  .state<Ring>({ seen: [] })
  .event("seen", baton, ({ seen }, { hop, run }) => ({ seen: [...seen, `${run}.${hop}`] }))
  .on("take", baton, async (context, message) => {
    context.emit.seen(message);
    const { hop, hopsMax } = message;
    if (hop === hopsMax) return;
    const on = { ...message, hop: hop + 1 };
    const to = next(context.agent.key);
    if (hop % 4 === 1) {
      context.after(20, { agent: ring, key: to, id: `hop ${message.run}` })["take"]?.(on);
    } else if (hop % 4 === 3) {
      context.publish(handed, to, on);
    } else {
      if (hop % 4 === 2) await context.ask(says, to)["say"]?.(on);
      context.send(ring, to)["take"]?.(on);
    }
  })
  .subscribe(handed, (context, message) => {
    context.emit.seen(message);
    const { hop, hopsMax } = message;
    if (hop === hopsMax) return;
    context.send(ring, next(context.agent.key))["take"]?.({ ...message, hop: hop + 1 });
  });
