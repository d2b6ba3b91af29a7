/**
 * The agents most tests play with.
 *
 * A `tally` counts numbered values into a digest that depends on their order, so that a lost, a
 * repeated or an exchanged one changes it for ever. Every second one it reports to the `copy` of
 * the same key: those turns commit together with what they send.
 */
import { agent, agentNamed, topic, type Agent, type Topic } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import { z } from "zod";

export interface Add {
  /** 1 for the first of its key, and so on. */
  readonly n: number;
  readonly value: number;
}

export interface Tally {
  readonly count: number;
  readonly digest: number;
}

export interface Copied {
  readonly count: number;
  readonly numbers: readonly number[];
}

interface TallyMessages {
  readonly add: { readonly input: Add; readonly reply: number };
  readonly hold: { readonly input: Add; readonly reply: number };
  readonly report: { readonly input: object; readonly reply: Tally };
}

export const emptyTally: Tally = Object.freeze({ count: 0, digest: 7 });

export function tallyAfter({ count, digest }: Tally, { n, value }: Add): Tally {
  return { count: count + 1, digest: (Math.imul(digest ^ n, 16_777_619) + value) | 0 };
}

/** Whether the tally tells its copy about this one. */
export const isCopied = ({ n }: Add): boolean => n % 2 === 0;

const add = z.object({ n: z.int().positive(), value: z.int() });
const copies = agentNamed("copy");

/** Wishes of the tests for the time while a handler runs. */
export interface Behaviour {
  /** Resolves when a held handler may go on. */
  readonly held?: (key: string, add: Add) => Promise<void>;
  /** Waited for in the middle of every `add`. @default they do not wait */
  readonly pause?: (() => Promise<void>) | undefined;
}

export function tallyAgent(
  behaviour: Behaviour = {},
): Agent<Tally, { readonly counted: Add }, TallyMessages> {
  return agent("tally")
    .state<Tally>(emptyTally)
    .event("counted", add, tallyAfter)
    .on("add", add, (context, message): number | Promise<number> => {
      context.emit.counted(message);
      const rest = (): number => {
        if (isCopied(message)) context.send(copies, context.agent.key)["receive"]?.(message);
        return context.state.count;
      };
      return behaviour.pause === undefined ? rest() : behaviour.pause().then(rest);
    })
    .on("hold", add, async (context, message) => {
      await behaviour.held?.(context.agent.key, message);
      context.emit.counted(message);
      return context.state.count;
    })
    .on("report", z.object({}), (context) => context.state);
}

/** A mark for a key, 1 for its first one, and so on. */
export interface Mark {
  readonly n: number;
}

const mark = z.object({ n: z.int().positive() });

export const marks: Topic<Mark, Mark> = topic("marks", mark);

/** The copy of the next version of the code, which subscribes to one topic more. */
export function markedCopyAgent(): AgentDefinition {
  return copyAgent
    .event("marked", mark, (state) => state)
    .subscribe(marks, (context, message) => context.emit.marked(message));
}

export const copyAgent: Agent<
  Copied,
  { readonly received: Add },
  {
    readonly receive: { readonly input: Add; readonly reply: void };
    readonly report: { readonly input: object; readonly reply: Copied };
  }
> = agent("copy")
  .state<Copied>({ count: 0, numbers: [] })
  .event("received", add, ({ count, numbers }, { n }) => ({
    count: count + 1,
    numbers: [...numbers, n],
  }))
  .on("receive", add, (context, message) => context.emit.received(message))
  .on("report", z.object({}), (context) => context.state);
