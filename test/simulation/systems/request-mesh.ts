/**
 * A mesh of requests: agents of three layers that ask one another downwards, several at a time.
 * Every ask is answered with what the callee recorded, or fails with an error that has a name; none
 * is answered twice.
 */
import assert from "node:assert/strict";

import { agent, agentNamed, TroupeError } from "@troupe/core";
import type { History, System } from "@troupe/testing";
import { z } from "zod";

const question = z.object({ id: z.string(), width: z.number() });

/** The lowest layer: it answers by itself, with how often it was asked. */
const leaf = agent("leaf")
  .state({ answers: 0 })
  .event("answered", z.object({ id: z.string() }), ({ answers }) => ({ answers: answers + 1 }))
  .on("ask", question, (ctx, { id }) => {
    ctx.emit.answered({ id });
    return [`${ctx.agent.key}:${ctx.state.answers}`];
  });

/** A layer that asks the one below, several agents at once, and puts the answers together. */
function layer(type: string, below: string) {
  return agent(type)
    .state({ answers: 0 })
    .event("answered", z.object({ id: z.string() }), ({ answers }) => ({ answers: answers + 1 }))
    .on("ask", question, async (ctx, { id, width }): Promise<string[]> => {
      const asked = Array.from({ length: width }, async (_, index) => {
        const key = `${below}${(width + index) % 3}`;
        return ctx.ask(agentNamed(below), key)["ask"]?.({ id: `${id}.${index}`, width: 1 });
      });
      const answers = (await Promise.all(asked)) as string[][];
      ctx.emit.answered({ id });
      return answers.flat();
    });
}

const middle = layer("middle", "leaf");
const top = layer("top", "middle");

interface Outcome {
  readonly answer?: unknown;
  readonly failure?: string;
}

/** Outcomes that the askers heard in the run that is going on; runs follow one another. */
const heard = new Map<string, Outcome>();

export const requestMesh: System = {
  name: "request-mesh",
  agents: [leaf, middle, top],
  settings: { retry: { delayMs: 20, delayMsMax: 500 } },
  drive: async (client, stage) => {
    heard.clear();
    await stage.times(8, async (index, chance) => {
      const agents = [top, middle, leaf] as const;
      const asked = chance.pick(agents);
      const id = `q${index}`;
      const key = `${asked.type}${chance.between(0, 2)}`;
      const outcome = await client
        .agent(asked, key, { timeoutMs: chance.pick([2000, 60_000]) })
        .ask({ id, width: chance.between(1, 2) }, { id })
        .then(
          (answer): Outcome => ({ answer }),
          (thrown: unknown): Outcome => {
            assert.ok(
              thrown instanceof TroupeError,
              `${id} failed without a name: ${String(thrown)}`,
            );
            return { failure: thrown.code };
          },
        );
      assert.ok(!heard.has(id), `${id} was answered twice`);
      heard.set(id, outcome);
    });
  },
  check: (history) => {
    for (const [id, outcome] of heard) checkOutcome(history, id, outcome);
  },
};

function checkOutcome(history: History, id: string, { answer, failure }: Outcome): void {
  const turns = history.agents
    .flatMap((each) => history.turns(each, each.key))
    .filter(({ record }) => record.messageId === id);
  assert.equal(turns.length, 1, `${id} has ${turns.length} turns`);
  const record = turns[0]?.record;
  if (failure === undefined) assert.deepEqual(record?.reply, answer, `the reply to ${id}`);
  else if (failure !== "ask-deadline")
    assert.ok(record?.failure !== undefined, `${id}: ${failure}`);
}
