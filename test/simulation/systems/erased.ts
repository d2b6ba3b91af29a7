/**
 * Guests who are erased at any moment, by several at once, from processes that die in the middle of
 * it. What they said before is forgotten and never handled again; what they say afterwards begins a
 * new life whose turns count on. Every reply says how much a guest remembers, so a state that
 * outlived an erasure is seen in the journal, and whoever was not erased remembers all.
 */
import assert from "node:assert/strict";

import { agent, TroupeError, type Troupe } from "@troupe/core";
import { AgentErasedError } from "@troupe/core/errors";
import type { Chance, History, Stage, System } from "@troupe/testing";
import { z } from "zod";

/** The house of the run that is going on; runs follow one another. */
let house = { isClosed: false };

const guest = agent("guest")
  .state({ said: 0 })
  .event("said", z.number(), ({ said }) => ({ said: said + 1 }))
  .on("say", z.number(), async (ctx, n) => {
    await ctx.step("think", n, async () => n);
    ctx.emit.said(n);
    ctx.send(host, ctx.agent.key).hear(n);
    return ctx.state.said;
  });

const host = agent("host")
  .state({ heard: [] as readonly number[] })
  .event("heard", z.number(), ({ heard }, n) => ({ heard: [...heard, n] }))
  .on("hear", z.number(), (ctx, n) => ctx.emit.heard(n));

const erasable = ["one", "two"] as const;
const keys = [...erasable, "other"] as const;
const timeoutMs = 600_000;

export const erased: System = {
  name: "erased",
  agents: [guest, host],
  partitions: 2,
  beside: eraseNowAndThen,
  drive: async (client, stage) => {
    house = { isClosed: false };
    const withinMs = stage.chance.pick([200, 2000, 20_000]);
    const say = async (n: number, chance: Chance): Promise<void> => {
      const key = keys[n % keys.length] ?? "other";
      if (chance.happens(0.7)) await client.send(guest, key).say(n);
      else await isHeard(() => client.agent(guest, key, { timeoutMs }).say(n));
    };
    await stage.times(60, say, { withinMs });
    house.isClosed = true;
    for (const key of erasable) {
      await untilDone(stage, () => client.erase(guest, key));
      // A worker's erasure may have begun before.
      while (!(await isHeard(() => client.agent(guest, key, { timeoutMs }).say(1000))));
    }
  },
  check: (history) => {
    // The next run begins as this one did.
    house = { isClosed: false };
    for (const key of keys) checkGuest(history, key);
    for (const key of erasable) assert.ok(history.tombstones(guest, key).length > 0);
    assert.equal(history.tombstones(guest, "other").length, 0);
    assert.equal(history.turns(guest, "other").length, 20, "what the other one said");
  },
};

/** Ends with its process. */
async function eraseNowAndThen(troupe: Troupe, stage: Stage): Promise<void> {
  const { chance } = stage;
  while (!house.isClosed) {
    await stage.wait(chance.magnitude(10, 10_000));
    if (house.isClosed) return;
    try {
      await troupe.erase(guest, chance.pick(erasable));
    } catch (thrown) {
      if (!(thrown instanceof TroupeError)) throw thrown;
    }
  }
}

/** Repeats an erasure until it is done: another one may be under way, and the log may be away. */
async function untilDone(stage: Stage, erase: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await erase();
      return;
    } catch (thrown) {
      if (!(thrown instanceof TroupeError && thrown.retryable)) throw thrown;
      await stage.wait(100);
    }
  }
}

/** False when the guest was erased meanwhile, so that nobody knows or it never comes. */
async function isHeard(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (thrown) {
    if (thrown instanceof AgentErasedError) return false;
    throw thrown;
  }
}

function checkGuest(history: History, key: string): void {
  const tombstones = history.tombstones(guest, key);
  let life = 0;
  let said = 0;
  const told: unknown[] = [];
  for (const { record, revision } of history.turns(guest, key)) {
    const now = tombstones.filter((each) => each.revision < revision).length;
    if (now > life) said = 0;
    life = now;
    said += 1;
    assert.equal(record.reply, said, `what ${key} remembers in turn ${record.turn}`);
    told.push(...record.events.map(({ data }) => data));
  }
  assert.deepEqual(history.state(host, key).heard, told, `what the host of ${key} heard`);
}
