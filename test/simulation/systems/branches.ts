/**
 * Parallel branches: each plans with a model, asks a writer, and lets the model read it through,
 * with steps of one name. A run that is tried again takes the branches in another order, and they
 * overtake one another in every run. Each branch gets its own answers, and nothing that is recorded
 * or accepted is done twice.
 */
import assert from "node:assert/strict";

import { agent, type StepInfo } from "@troupe/core";
import type { History, Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The world of the run that is going on; runs follow one another. */
let world: Stage | undefined;
let writeMsMax = 20;

async function model(prompt: string, step: StepInfo): Promise<string> {
  return `${prompt}: ${await world?.effect(step, 50)}`;
}

const text = z.object({ text: z.string() });

const writer = agent("writer")
  .state({ written: [] as readonly string[] })
  .event("written", text, ({ written }, event) => ({ written: [...written, event.text] }))
  .on("write", text, async (ctx, message) => {
    await world?.wait(ctx.random() * writeMsMax);
    ctx.emit.written(message);
    return `${message.text} is written`;
  });

const order = z.object({ id: z.string(), branches: z.array(z.string()), failures: z.number() });
const line = z.object({
  branch: z.string(),
  plan: z.string(),
  answer: z.string(),
  review: z.string(),
});
const finished = z.object({ id: z.string(), lines: z.array(line) });

const team = agent("team")
  .state({ finished: [] as readonly z.infer<typeof finished>[] })
  .event("finished", finished, (state, event) => ({ finished: [...state.finished, event] }))
  .on("work", order, async (ctx, { branches, failures, id }) => {
    const { attempt } = ctx.message;
    const inOrder = attempt % 2 === 0 ? branches.toReversed() : branches;
    const lines = await Promise.all(
      inOrder.map(async (branch) => {
        const ask = (prompt: string): Promise<string> => ctx.step("model", prompt, model);
        const plan = await ask(`plan ${branch}`);
        const answer = await ctx
          .ask(writer, branch, { timeoutMs: 3_600_000 })
          .write({ text: `${id}/${branch}` });
        return { branch, plan, answer, review: await ask(`review ${branch}`) };
      }),
    );
    if (attempt <= failures) throw new Error(`${id} is not ready`);
    ctx.emit.finished({ id, lines });
  });

const keys = ["one", "two"] as const;
const branches = ["a", "b", "c"] as const;

function branchesSystem(name: string, writeMs: number): Omit<System, "duplicates"> {
  return {
    name,
    agents: [team, writer],
    // Teams wait for writers of their own partition, which need room in the window beside them.
    settings: {
      windowMax: 1024,
      handlersMax: 1000,
      retry: { attemptsMax: 100, delayMs: 10, delayMsMax: 100 },
    },
    drive: async (client, stage) => {
      world = stage;
      writeMsMax = writeMs;
      await stage.times(5, async (index, chance) => {
        const message = {
          id: `o${index}`,
          branches: branches.slice(0, chance.between(1, 3)),
          failures: chance.pick([0, 0, 1, 2]),
        };
        await client.send(team, chance.pick(keys)).work(message);
      });
    },
    check,
  };
}

export const parallelBranches: System = branchesSystem("branches", 20);

const slow = branchesSystem("long-asks", 40_000);

/**
 * Writers take longer than the log remembers the ids of messages, which is longer than anybody is
 * without the log: an answer that an outage keeps back for longer tells nothing about its message.
 */
export const longAsks: System = {
  ...slow,
  // Most of its time nothing happens, so workers say less often that they are there.
  settings: {
    ...slow.settings,
    floorIntervalMs: 4000,
    timings: { heartbeatMs: 2000, deadAfterMs: 6400 },
  },
  duplicates: { ageMsMax: 15_000 },
};

function check(history: History): void {
  const told: string[] = [];
  for (const key of keys) {
    for (const { record } of history.turns(team, key)) {
      assert.equal(record.failure, undefined, `turn ${record.turn} of ${key}`);
    }
    for (const { id, lines } of history.state(team, key).finished) {
      for (const { answer, branch, plan, review } of lines) {
        told.push(`${id}/${branch}`);
        assert.match(plan, new RegExp(`^plan ${branch}: effect-`), `${id}: the plan of ${branch}`);
        assert.equal(answer, `${id}/${branch} is written`, `${id}: the answer to ${branch}`);
        assert.match(review, new RegExp(`^review ${branch}: `), `${id}: the review of ${branch}`);
      }
    }
  }
  const written = branches.flatMap((branch) => history.state(writer, branch).written);
  assert.deepEqual(written.toSorted(), told.toSorted(), "everything is written once");
}
