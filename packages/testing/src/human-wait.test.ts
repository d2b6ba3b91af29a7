/** Waiting for a human for days: a state, the next message, and a timer (I11). */
import { expect, test } from "vitest";
import { z } from "zod";

import { agent, createTroupe, type Troupe } from "@troupe/core";
import { createMemoryBroker, type MemoryBroker } from "./memory/memory-broker.ts";
import { Agenda } from "./simulation/agenda.ts";
import { chanceOf } from "./simulation/chance.ts";
import { drained } from "./simulation/drained.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A request that somebody must approve: reminded of daily, escalated after three days. */
const request = agent("request")
  .state({ waiting: false, reminders: 0, outcome: "none" })
  .event("opened", z.null(), (state) => ({ ...state, waiting: true }))
  .event("reminded", z.null(), (state) => ({ ...state, reminders: state.reminders + 1 }))
  .event("closed", z.string(), (state, outcome) => ({ ...state, waiting: false, outcome }))
  .on("remind", z.null(), (ctx) => {
    if (ctx.state.waiting) ctx.emit.reminded(null);
  })
  .on("escalate", z.null(), (ctx) => {
    if (!ctx.state.waiting) return;
    ctx.emit.closed("escalated");
    ctx.cancel("reminder");
  })
  .on("open", z.null(), (ctx) => {
    ctx.emit.opened(null);
    ctx.every(dayMs, { id: "reminder" }).remind(null);
    ctx.after(3 * dayMs + hourMs, { id: "deadline" }).escalate(null);
  })
  .on("approve", z.null(), (ctx) => {
    if (!ctx.state.waiting) return ctx.state.outcome;
    ctx.emit.closed("approved");
    ctx.cancel("reminder");
    ctx.cancel("deadline");
    return ctx.state.outcome;
  });

test("nobody approves: reminders come daily, then it is escalated, with no worker in between", async () => {
  const world = new World();
  await world.work((troupe) => troupe.agent(request, "r-1").open(null));
  await world.pass(dayMs + hourMs);
  expect(world.runningWorkers).toBe(0);
  expect(world.fired).toEqual(["remind"]);
  await world.work();
  await world.pass(dayMs);
  await world.work();
  await world.pass(dayMs + hourMs);
  await world.work();
  expect(world.fired).toEqual(["remind", "remind", "remind", "escalate"]);
  await world.pass(30 * dayMs);
  expect(world.fired).toHaveLength(4);
  expect(await world.state()).toEqual({ waiting: false, reminders: 3, outcome: "escalated" });
});

test("somebody approves after two days: no timer is left", async () => {
  const world = new World();
  await world.work((troupe) => troupe.agent(request, "r-1").open(null));
  await world.pass(2 * dayMs + hourMs);
  const reply = await world.work((troupe) => troupe.agent(request, "r-1").approve(null));
  expect(reply).toBe("approved");
  await world.pass(30 * dayMs);
  expect(world.fired).toEqual(["remind", "remind"]);
  expect(await world.state()).toEqual({ waiting: false, reminders: 2, outcome: "approved" });
});

/** A broker and a virtual time; workers come only when they are called. */
class World {
  runningWorkers = 0;
  readonly #agenda = new Agenda(() => undefined);
  readonly #broker: MemoryBroker = createMemoryBroker({
    partitions: 1,
    clock: this.#agenda,
    schedule: (task) => void this.#agenda.add("task", 0, task),
  });

  /** The messages that timers sent so far. */
  get fired(): (string | undefined)[] {
    return this.#broker
      .entries()
      .flatMap((entry) =>
        entry.kind === "input" && entry.input.metadata.timer !== undefined
          ? [entry.input.metadata.message]
          : [],
      );
  }

  /** A worker comes, handles what is there and what `act` asks, and leaves. */
  async work<Result>(act?: (troupe: Troupe) => Promise<Result>): Promise<Result | undefined> {
    this.runningWorkers += 1;
    const clock = this.#agenda.clock("worker");
    const random = chanceOf(1, "worker").next;
    const troupe = createTroupe(this.#broker.connect(), { name: "worker", clock, random });
    await this.#until(troupe.work(request, { timings: { joinDelayMs: 1 } }));
    const result = act === undefined ? undefined : await this.#until(act(troupe));
    // Everything that waited on the log is handled in a moment.
    await this.pass(5000);
    await this.#until(troupe.close());
    this.runningWorkers -= 1;
    return result;
  }

  async state(): Promise<unknown> {
    const troupe = createTroupe(this.#broker.connect(), { clock: this.#agenda.clock("reader") });
    const read = async (): Promise<unknown> => {
      let state: unknown;
      for await (const turn of troupe.replay(request, "r-1")) state = turn.state;
      await troupe.close();
      return state;
    };
    return this.#until(read());
  }

  /** Time goes by, and due timers fire. */
  async pass(ms: number): Promise<void> {
    await this.#until(new Promise<void>((over) => void this.#agenda.add("the end", ms, over)));
  }

  async #until<Result>(promise: Promise<Result>): Promise<Result> {
    const state = { settled: false };
    const settle = (): void => void (state.settled = true);
    promise.then(settle, settle);
    await drained();
    while (!state.settled) {
      if (!this.#agenda.step()) throw new Error("Nothing is left that could happen.");
      await drained();
    }
    return promise;
  }
}
