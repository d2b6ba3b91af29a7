/**
 * Parking: a press jams on some of its jobs and is parked, jobs keep coming, and people resume it
 * again and again, too early, twice, or giving the job up. Every job is printed once and in order,
 * nothing is printed while the press is parked, and only a job that was given up is missing.
 */
import assert from "node:assert/strict";

import type { Troupe } from "@troupe/core";
import { agent, Reject } from "@troupe/core";
import { AgentParkedError, AskDeadlineError } from "@troupe/core/errors";
import { isResume, resumeDraft } from "@troupe/core/operate";
import type { Chance, History, System } from "@troupe/testing";
import { z } from "zod";

/**
 * Number of times that the presses of the run that is going on were repaired; runs follow one
 * another.
 */
const workshop = { repairs: 0 };

/** A job jams until there were so many repairs. */
const job = z.object({ id: z.string(), repairs: z.number() });

const press = agent("press")
  .state({ printed: [] as readonly string[] })
  .event("printed", z.object({ id: z.string() }), ({ printed }, { id }) => ({
    printed: [...printed, id],
  }))
  .on(
    "print",
    job,
    async (ctx, { id, repairs }) => {
      ctx.emit.printed({ id });
      ctx.send(shelf, ctx.agent.key).store({ id });
      await Promise.resolve();
      if (repairs > workshop.repairs) throw new Error(`${id} jams`);
      return id;
    },
    { retry: { attemptsMax: 2, delayMs: 10, exhausted: "park" } },
  )
  .on("count", z.object({}), (ctx) => ctx.state.printed.length);

/** Shelf of what was printed. */
const shelf = agent("shelf")
  .state({ stored: [] as readonly string[] })
  .event("stored", z.object({ id: z.string() }), ({ stored }, { id }) => ({
    stored: [...stored, id],
  }))
  .on("store", z.object({ id: z.string() }), (ctx, { id }) => ctx.emit.stored({ id }));

const keys = ["one", "two"] as const;
/** Rounds of repairs after which no job jams any more and all presses run, with time to spare. */
const roundsMax = 60;
/** An asker of a parked agent is told once; when that is lost, it waits this long for nothing. */
const timeoutMs = 5000;

export const parking: System = {
  name: "parking",
  agents: [press, shelf],
  drive: async (client, stage) => {
    workshop.repairs = 0;
    await stage.times(
      16,
      async (index, chance) => {
        const key = chance.pick(keys);
        if (chance.happens(0.2)) return resume(client, key, chance);
        const repairs = chance.happens(0.3) ? chance.between(1, 3) : 0;
        const asked = chance.happens(0.3);
        await print(client, key, { id: `job-${index}`, repairs }, asked);
      },
      { withinMs: 3000 },
    );
    for (let round = 0; round < roundsMax; round++) {
      workshop.repairs += 1;
      await Promise.all(keys.map((key) => resume(client, key, stage.chance)));
      const running = await Promise.all(keys.map((key) => isRunning(client, key)));
      if (running.every(Boolean)) break;
      await stage.wait(500);
    }
  },
  check: (history) => {
    for (const key of keys) {
      checkJobs(history, key);
      checkParkings(history, key);
    }
  },
};

async function print(
  client: Troupe,
  key: string,
  message: z.infer<typeof job>,
  asked: boolean,
): Promise<void> {
  if (!asked)
    return client
      .send(press, key)
      .print(message)
      .then(() => undefined);
  try {
    assert.equal(await client.agent(press, key, { timeoutMs }).print(message), message.id);
  } catch (thrown) {
    // It is printed later, or somebody gave it up.
    if (!isHeldBack(thrown) && !(thrown instanceof Reject)) throw thrown;
  }
}

async function resume(client: Troupe, key: string, chance: Chance): Promise<void> {
  const skip = chance.happens(0.2);
  await client.log.accept(resumeDraft({ type: press.type, key }, { skip }));
}

async function isRunning(client: Troupe, key: string): Promise<boolean> {
  try {
    await client.agent(press, key, { timeoutMs }).count({});
    return true;
  } catch (thrown) {
    if (isHeldBack(thrown)) return false;
    throw thrown;
  }
}

function isHeldBack(thrown: unknown): boolean {
  return thrown instanceof AgentParkedError || thrown instanceof AskDeadlineError;
}

/** Every message is one turn, in order; what was given up is all that is missing. */
function checkJobs(history: History, key: string): void {
  const inputs = [...history.inputs.values()].filter(
    (input) => input.address.name === press.type && input.address.key === key && !isResume(input),
  );
  const turns = history.turns(press, key);
  assert.deepEqual(
    turns.map(({ record }) => record.inputPosition),
    inputs.map(({ position }) => position),
    `the jobs of ${key}`,
  );
  const parked = new Set(history.parkings(press, key).map(({ record }) => record.inputPosition));
  const printed = turns.flatMap(({ record }) => {
    if (record.failure === undefined) return record.events.map(({ data }) => data);
    // An asker may have given up before its message came to a worker.
    if (record.failure.code === "deadline-passed") return [];
    assert.equal(record.failure.code, "rejected", `${key}: turn ${record.turn}`);
    assert.ok(parked.has(record.inputPosition), `${key}: ${record.turn} was given up unparked`);
    return [];
  });
  const ids = printed.map((data) => (data as { readonly id: string }).id);
  assert.deepEqual(history.state(press, key).printed, ids, `what ${key} printed`);
  assert.deepEqual(history.state(shelf, key).stored, ids, `what is on the shelf of ${key}`);
}

/** A parked press prints nothing before it is resumed, and then begins with the job that jammed. */
function checkParkings(history: History, key: string): void {
  const resumes = [...history.inputs.values()].filter(
    (input) => isResume(input) && input.address.key === key,
  );
  const parkings = history.parkings(press, key);
  for (const [index, { record, revision }] of parkings.entries()) {
    if (!record.parked) continue;
    const what = `${key}, parked by record ${revision}`;
    const turn = history.turns(press, key).find((each) => each.revision > revision);
    assert.equal(turn?.record.inputPosition, record.inputPosition, `${what}: what comes next`);
    const next = Math.min(turn?.revision ?? Infinity, parkings[index + 1]?.revision ?? Infinity);
    const isResumed = resumes.some(({ position }) => position > revision && position < next);
    assert.ok(isResumed, `${what}: nobody resumed it`);
  }
  assert.notEqual(parkings.at(-1)?.record.parked, true, `${key} is parked in the end`);
}
