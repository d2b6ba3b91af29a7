/**
 * Operators in the middle of everything: each worker's process also looks after dead letters and
 * parked agents, over the same log that is cut off, stale and slow, and dies with it. Several at
 * once redrive what fails again and again until it is repaired, resume what is parked, too early
 * and twice, and remove what is of no use. Every job is done once in the end, only what was removed
 * or given up is missing, and no dead letter is left.
 */
import assert from "node:assert/strict";

import type { Troupe } from "@troupe/core";
import type { DeadLetter, Log } from "@troupe/core/log";
import { agent, Reject, TroupeError } from "@troupe/core";
import { AgentParkedError, AskDeadlineError, LogUnavailableError } from "@troupe/core/errors";
import { redrive, resumeDraft } from "@troupe/core/operate";
import { overlay } from "@troupe/testing";
import type { Chance, History, Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The workshop of the run that is going on; runs follow one another. */
let workshop = { isRepaired: false, isClosed: false, chance: undefined as Chance | undefined };

const job = z.object({ id: z.string(), how: z.enum(["good", "fails", "jams", "junk"]) });

const press = agent("press")
  .state({ printed: [] as readonly string[] })
  .event("printed", z.object({ id: z.string() }), ({ printed }, { id }) => ({
    printed: [...printed, id],
  }))
  .on("print", job, async (ctx, { how, id }) => {
    await Promise.resolve();
    if (how === "junk") throw new Reject("junk");
    if (how === "fails" && !workshop.isRepaired) throw new Error(`${id} fails`);
    ctx.emit.printed({ id });
    ctx.send(shelf, ctx.agent.key).store({ id });
  })
  .on(
    "feed",
    job,
    async (ctx, { how, id }) => {
      await Promise.resolve();
      if (how === "jams" && !workshop.isRepaired) throw new Error(`${id} jams`);
      ctx.emit.printed({ id });
      ctx.send(shelf, ctx.agent.key).store({ id });
    },
    { retry: { exhausted: "park" } },
  )
  .on("count", z.object({}), (ctx) => ctx.state.printed.length);

/** Shelf of what was printed. */
const shelf = agent("shelf")
  .state({ stored: [] as readonly string[] })
  .event("stored", z.object({ id: z.string() }), ({ stored }, { id }) => ({
    stored: [...stored, id],
  }))
  .on("store", z.object({ id: z.string() }), (ctx, { id }) => ctx.emit.stored({ id }));

const keys = ["one", "two", "three"] as const;
/** Rounds after which nothing is left to do, with time to spare. */
const roundsMax = 120;
const timeoutMs = 5000;

export const operated: System = {
  name: "operated",
  agents: [press, shelf],

  settings: { retry: { attemptsMax: 2, delayMs: 10, delayMsMax: 100 } },
  // Operators come back later than that; nobody is away from the log for so long.
  duplicates: { ageMsMax: 15_000 },
  beside: operate,
  drive: async (client, stage) => {
    workshop = { isRepaired: false, isClosed: false, chance: stage.chance };
    const withinMs = stage.chance.pick([1000, 10_000, 30_000]);
    await stage.times(14, (index, chance) => work(client, `job-${index}`, chance), { withinMs });
    await stage.wait(stage.chance.magnitude(1, 10_000));
    workshop.isRepaired = true;
    let isDone = false;
    for (let round = 0; round < roundsMax && !isDone; round++) {
      isDone = await isNothingLeft(client, stage.chance).catch(falseWhenAway);
      if (!isDone) await stage.wait(500);
    }
    workshop.isClosed = true;
    assert.ok(isDone, "dead letters or parked presses are left");
  },
  check: (history) => {
    for (const key of keys) checkKey(history, key);
  },
};

/** Looks after everything, and says whether there was nothing. */
async function isNothingLeft(client: Troupe, chance: Chance): Promise<boolean> {
  const areHandled = await areRunning(client);
  const left = await lettersOn(client);
  for (const letter of left) await lookAfter(client, letter, chance);
  return areHandled && left.length === 0;
}

function falseWhenAway(thrown: unknown): false {
  if (thrown instanceof LogUnavailableError) return false;
  throw thrown;
}

async function work(client: Troupe, id: string, chance: Chance): Promise<void> {
  const to = client.send(press, chance.pick(keys));
  const how = chance.pick(["good", "good", "fails", "jams", "junk"]);
  await (how === "jams" ? to.feed({ id, how }) : to.print({ id, how }));
}

/** An operator that is as far from the log as its process is. */
async function operate(troupe: Troupe, stage: Stage): Promise<void> {
  const { chance } = stage;
  while (!workshop.isClosed) {
    await stage.wait(chance.magnitude(10, 20_000));
    try {
      for (const letter of await lettersOn(troupe)) {
        if (workshop.isClosed) return;
        if (chance.happens(0.7)) await lookAfter(troupe, letter, chance);
      }
    } catch (thrown) {
      if (!(thrown instanceof TroupeError)) throw thrown;
    }
  }
}

interface PlacedLetter {
  readonly position: number;
  readonly deadLetter: DeadLetter;
}

async function lettersOn({ log }: Troupe): Promise<readonly PlacedLetter[]> {
  const letters: PlacedLetter[] = [];
  const request = { from: 1, untilNow: true, kinds: ["dead-letter"] } as const;
  for await (const entry of log.follow(request)) {
    if (entry.kind === "dead-letter") letters.push(entry);
  }
  return letters;
}

async function lookAfter(
  { log }: Troupe,
  { deadLetter, position }: PlacedLetter,
  chance: Chance,
): Promise<void> {
  const { agent: owner, failure, inputPosition } = deadLetter;
  assert.ok(owner !== undefined);
  if (failure.code === "rejected" || failure.code === "deadline-passed") {
    await log.removeDeadLetter(position);
    return;
  }
  if (failure.code === "agent-parked") {
    await log.accept(resumeDraft(owner, { skip: chance.happens(0.1) }));
    // The journal says whether an agent is parked: its dead letters are only an index.
    if (workshop.isRepaired) await log.removeDeadLetter(position);
    return;
  }
  const original = await log.input(inputPosition, { firm: true });
  assert.ok(original !== undefined, `the original of ${position}`);
  const operator = chance.happens(0.5) ? brokenOff(log) : log;
  await redrive(operator, { position, agent: owner, original }).catch((thrown: unknown) => {
    if (!(thrown instanceof LogUnavailableError)) throw thrown;
  });
}

/** The operator comes no further than to send. */
function brokenOff(log: Log): Log {
  const removeDeadLetter = (): Promise<never> =>
    Promise.reject(new LogUnavailableError("The operator was broken off, says the simulation."));
  return overlay(log, { removeDeadLetter });
}

async function areRunning(client: Troupe): Promise<boolean> {
  const running = keys.map(async (key) => {
    await client.log.accept(resumeDraft({ type: "press", key }));
    try {
      await client.agent(press, key, { timeoutMs }).count({});
      return true;
    } catch (thrown) {
      if (thrown instanceof AgentParkedError || thrown instanceof AskDeadlineError) return false;
      throw thrown;
    }
  });
  return (await Promise.all(running)).every(Boolean);
}

function checkKey(history: History, key: string): void {
  const expected = new Set<string>();
  const givenUp = new Set<string>();
  for (const input of history.inputs.values()) {
    if (input.address.name !== "press" || input.address.key !== key) continue;
    const message = job.safeParse(history.payload(input));
    if (message.success && message.data.how !== "junk") expected.add(message.data.id);
  }
  const printed: string[] = [];
  for (const { record } of history.turns(press, key)) {
    const input = history.inputs.get(record.inputPosition);
    assert.ok(input !== undefined);
    const message = job.safeParse(history.payload(input));
    if (!message.success) continue;
    const { id } = message.data;
    if (record.failure === undefined) printed.push(id);
    // Its operator gave it up when it was parked.
    else if (record.failure.code === "rejected") givenUp.add(id);
  }
  assert.equal(
    new Set(printed).size,
    printed.length,
    `what ${key} printed twice: ${printed.join()}`,
  );
  const missing = [...expected].filter((id) => !printed.includes(id) && !givenUp.has(id));
  assert.deepEqual(missing, [], `what ${key} did not print`);
  assert.deepEqual(history.state(press, key).printed, printed, `what ${key} printed`);
  assert.deepEqual(history.state(shelf, key).stored, printed, `the shelf of ${key}`);
}
