/**
 * Retention by prefix: meters of which so much gathers that it goes for all of them at once, while
 * others of their type have just begun, ask somebody, or fail and are redriven in the end. A
 * message that is removed before everybody has done with it is missing; an ask whose message went
 * too early is made twice; a dead letter whose original went cannot be sent again.
 */
import assert from "node:assert/strict";

import type { Troupe } from "@troupe/core";
import type { DeadLetter } from "@troupe/core/log";
import { agent, Reject } from "@troupe/core";
import { redrive } from "@troupe/core/operate";
import type { History, Stage, System } from "@troupe/testing";
import { z } from "zod";

import { isNotKept } from "./retention.ts";

/** The plant of the run that is going on; runs follow one another. */
let plant = { isMended: false, sleep: (): Promise<void> => Promise.resolve() };

const meter = agent("meter")
  .retention({ turns: 4, ageMs: 86_400_000 })
  .state({ read: 0 })
  .event("read", z.number(), ({ read }, n) => ({ read: read + n }))
  .on("read", z.number(), (ctx, n) => {
    ctx.emit.read(n);
    return ctx.state.read;
  })
  .on("begin", z.number(), async (ctx, n) => {
    await plant.sleep();
    ctx.emit.read(n);
    return ctx.state.read;
  })
  .on("compare", z.number(), async (ctx, n) => {
    await ctx.ask(gauge, ctx.agent.key).look(n);
    ctx.emit.read(n);
    return ctx.state.read;
  })
  .on("test", z.number(), (ctx) => {
    if (!plant.isMended) throw new Reject("not mended");
    ctx.emit.read(1);
    return ctx.state.read;
  });

const gauge = agent("gauge")
  .retention({ ageMs: 300 })
  .state({ looked: 0 })
  .event("looked", z.number(), ({ looked }) => ({ looked: looked + 1 }))
  .on("look", z.number(), (ctx, n) => {
    ctx.emit.looked(n);
    return ctx.state.looked;
  });

const steady = ["one", "two", "three"] as const;
const slow = ["eight", "nine"] as const;
const late = ["four", "five", "six", "seven"] as const;
/** Seconds in which whatever was late has come. */
const roundsMax = 30;
const keys = [...steady, ...slow, ...late] as const;

export const prefix: System = {
  name: "prefix",
  agents: [meter, gauge],
  partitions: 2,
  faults: { crash: 12, lastStep: 3000 },
  settings: {
    // What an ask is for must not wait behind what waits for the asker.
    windowMax: 1024,
    activationsMax: 1000,
    collector: { agentsPerSecond: 1, settleMs: 100, lookMs: 50, sweepMs: 200, prefixMin: 1 },
  },
  drive: async (client, stage) => {
    plant = { isMended: false, sleep: () => stage.wait(3000) };
    const tests = stage.chance.pick([0, 0, 3]);
    await Promise.all([
      stage.times(
        150,
        async (index, chance) => {
          const to = client.send(meter, steady[index % steady.length] ?? "one");
          await (chance.happens(0.4) ? to.compare(1) : to.read(1));
        },
        { withinMs: 2500 },
      ),
      stage.times(slow.length, (index) => client.send(meter, slow[index] ?? "eight").begin(1)),
      stage.times(
        late.length * 2,
        async (index, chance) => {
          await stage.wait(3000);
          const to = client.send(meter, late[index % late.length] ?? "four");
          await (chance.happens(0.5) ? to.compare(1) : to.read(1));
        },
        { withinMs: 8000 },
      ),
      stage.times(tests, (index, chance) => client.send(meter, chance.pick(keys)).test(index), {
        withinMs: 6000,
      }),
    ]);
    await stage.wait(2000);
    plant.isMended = true;
    if (tests > 0) await redriveAll(client, stage);
  },
  check: (history) => {
    for (const key of keys) checkMeter(history, key);
  },
};

/** What failed until it was mended is sent again, whenever it comes. */
async function redriveAll(client: Troupe, stage: Stage): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    for (const { deadLetter, position } of await lettersOn(client)) {
      const { agent: owner, inputPosition } = deadLetter;
      assert.ok(owner !== undefined);
      const original = await client.log.input(inputPosition, { firm: true });
      assert.ok(original !== undefined, `the original of the dead letter at ${position}`);
      await redrive(client.log, { position, agent: owner, original });
    }
    await stage.wait(1000);
  }
}

async function lettersOn({
  log,
}: Troupe): Promise<readonly { readonly position: number; readonly deadLetter: DeadLetter }[]> {
  const request = { from: 1, untilNow: true, kinds: ["dead-letter"] } as const;
  const entries = await Array.fromAsync(log.follow(request));
  return entries.filter((entry) => entry.kind === "dead-letter");
}

/** Each reply is the fold of everything before it, and every comparison had one look. */
function checkMeter(history: History, key: string): void {
  let read = 0;
  let compared = 0;
  const tested = new Set<unknown>();
  for (const { record } of history.turns(meter, key)) {
    if (record.failure?.code === "rejected") continue;
    if (record.message === "compare") compared += 1;
    // A reply that was lost for so long is not kept.
    if (record.failure !== undefined && isNotKept(record.failure)) continue;
    assert.equal(record.failure, undefined, `${key}: turn ${record.turn}`);
    read += 1;
    const input = history.inputs.get(record.inputPosition);
    if (record.message === "test" && input !== undefined) tested.add(history.payload(input));
    assert.equal(record.reply, read, `${key}: what turn ${record.turn} said`);
  }
  const tests = [...history.inputs.values()].filter(
    ({ address, metadata }) =>
      address.name === "meter" && address.key === key && metadata.message === "test",
  );
  assert.deepEqual(tested, new Set(tests.map((input) => history.payload(input))), `${key}: tests`);
  assert.equal(history.turns(gauge, key).length, compared, `looks of ${key}`);
}
