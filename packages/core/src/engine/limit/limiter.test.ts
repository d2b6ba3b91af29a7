import { describe, expect, it } from "vitest";

import { LimitYard } from "../../../fixtures/limit-yard.ts";
import type { YardWorker } from "../../../fixtures/limit-yard.ts";
import { limit } from "../../definition/limit.ts";
import { decodeLimitRecord, limitCell } from "./limit-record.ts";
import type { LimitRecord } from "./limit-record.ts";

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

/** The record of a limit, as the other workers see it. */
async function recordOf(yard: LimitYard, name: string): Promise<LimitRecord | undefined> {
  const log = yard.broker.connect("observer");
  let record: LimitRecord | undefined;
  void log.cell(limitCell(name)).then((cell) => {
    record = cell && decodeLimitRecord(cell.value);
  });
  await yard.pass(200);
  return record;
}

/** Many uses, as fast as the limit lets them. */
function crowd(
  worker: YardWorker,
  what: Parameters<YardWorker["use"]>[0],
  uses: number,
  forMs: number,
): void {
  for (let i = 0; i < uses; i++) void worker.use(what, forMs);
}

describe("a limit of concurrency", () => {
  it.each(seeds)("is kept by many workers, also when some die (seed %i)", async (seed) => {
    const yard = new LimitYard(seed);
    const concurrency = yard.chance.between(1, 8);
    const gpt = limit("gpt", { concurrency });
    const workers = Array.from({ length: yard.chance.between(2, 6) }, (_, i) =>
      yard.worker(`w${i}`),
    );
    for (const worker of workers) crowd(worker, gpt, 30, 200);
    const [survivor, ...mortals] = workers;
    for (const mortal of mortals) {
      await yard.pass(yard.chance.next() * 1500);
      if (yard.chance.happens(0.6)) mortal.crash();
    }
    await yard.pass(120_000);
    expect(yard.atWorkMax).toBe(concurrency);
    expect(survivor?.done).toBe(30);
  });

  it("comes back from a worker that died, within its lease and a quarter", async () => {
    const yard = new LimitYard(1);
    const gpt = limit("gpt", { concurrency: 4 });
    const [dying, heir] = [yard.worker("dying"), yard.worker("heir")];
    crowd(dying, gpt, 4, 1e6);
    await yard.pass(1000);
    crowd(heir, gpt, 4, 1e6);
    await yard.pass(1000);
    dying.crash();
    await yard.pass(4000);
    expect(yard.atWork).toBe(0);
    await yard.pass(2500);
    expect(yard.atWork).toBe(4);
  });

  it.each(seeds.slice(0, 10))(
    "goes round when workers are more than permits (seed %i)",
    async (seed) => {
      const yard = new LimitYard(seed);
      const gpt = limit("gpt", { concurrency: 2 });
      const workers = ["a", "b", "c", "d", "e"].map((name) => yard.worker(name));
      for (const [index, worker] of workers.entries()) crowd(worker, gpt, 20 + 200 * index, 300);
      await yard.pass(15_000);
      const done = workers.map((worker) => worker.done);
      expect(Math.min(...done)).toBeGreaterThan(0.6 * Math.max(...done));
    },
  );

  it("is shared by workers that come later", async () => {
    const yard = new LimitYard(3);
    const gpt = limit("gpt", { concurrency: 8 });
    const [first, second] = [yard.worker("first"), yard.worker("second")];
    crowd(first, gpt, 1000, 100);
    await yard.pass(2000);
    const before = first.done;
    crowd(second, gpt, 1000, 100);
    await yard.pass(5000);
    expect(second.done / (first.done - before)).toBeGreaterThan(0.8);
    expect(second.done / (first.done - before)).toBeLessThan(1.25);
    expect(yard.atWorkMax).toBe(8);
  });

  it("is used by one worker alone without asking again", async () => {
    const yard = new LimitYard(4);
    const gpt = limit("gpt", { concurrency: 8 });
    const worker = yard.worker("alone");
    await yard.pass(0);
    const repeat = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await worker.use(gpt, 10);
    };
    void repeat();
    await yard.pass(2000);
    expect(worker.done).toBe(100);
    const leases = (await recordOf(yard, "gpt"))?.leases ?? {};
    // So many writes, in two seconds.
    expect(Object.values(leases)[0]?.beat).toBeLessThan(5);
  });

  it("of a paused worker is given away, and used by both for no longer than what it had at work", async () => {
    const yard = new LimitYard(5);
    const gpt = limit("gpt", { concurrency: 3 });
    const [paused, other] = [yard.worker("paused"), yard.worker("other")];
    crowd(paused, gpt, 50, 500);
    await yard.pass(1000);
    paused.pause();
    crowd(other, gpt, 50, 500);
    await yard.pass(10_000);
    expect(other.done).toBeGreaterThan(5);
    expect(yard.atWorkMax).toBe(6);
    paused.resume();
    await yard.pass(1000);
    yard.atWorkMax = 0;
    await yard.pass(60_000);
    expect(yard.atWorkMax).toBe(3);
    expect([paused.done, other.done]).toEqual([50, 50]);
  });

  it("is not used by a worker that is cut off when others may have its permits (LEASE-1)", async () => {
    const yard = new LimitYard(5);
    const gpt = limit("gpt", { concurrency: 3 });
    const [lonely, other] = [yard.worker("lonely"), yard.worker("other")];
    crowd(lonely, gpt, 500, 200);
    await yard.pass(1000);
    lonely.cutOff();
    crowd(other, gpt, 30, 200);
    await yard.pass(20_000);
    expect(other.done).toBe(30);
    expect(yard.atWorkMax).toBe(3);
  });

  it("is kept through an outage of the log, however long", async () => {
    const yard = new LimitYard(6);
    const gpt = limit("gpt", { concurrency: 3 });
    const workers = ["a", "b", "c"].map((name) => yard.worker(name));
    for (const worker of workers) crowd(worker, gpt, 10, 40_000);
    await yard.pass(1000);
    yard.broker.pause({ calls: "fail" });
    await yard.pass(25_000);
    yard.broker.resume();
    await yard.pass(500_000);
    expect(yard.atWorkMax).toBe(3);
    expect(workers.map((worker) => worker.done)).toEqual([10, 10, 10]);
  });

  it("is used by a worker that did not hear that it was given it", async () => {
    const yard = new LimitYard(6);
    const gpt = limit("gpt", { concurrency: 3 });
    const worker = yard.worker("w");
    worker.loseAnswer();
    crowd(worker, gpt, 3, 100);
    await yard.pass(3000);
    expect(worker.done).toBe(3);
  });

  it("leaves nothing behind when nobody needs it", async () => {
    const yard = new LimitYard(7);
    const gpt = limit("gpt", { concurrency: 3, rate: { count: 100, perMs: 1000 } });
    const worker = yard.worker("w");
    crowd(worker, gpt, 30, 50);
    await yard.pass(20_000);
    expect(worker.done).toBe(30);
    expect(worker.pending()).toBe(0);
    expect((await recordOf(yard, "gpt"))?.leases).toEqual({});
  });

  it("is given back at once by a worker that stops", async () => {
    const yard = new LimitYard(8);
    const gpt = limit("gpt", { concurrency: 2 });
    const [first, second] = [yard.worker("first"), yard.worker("second")];
    crowd(first, gpt, 2, 100);
    await yard.pass(150);
    void first.limiter.stop();
    crowd(second, gpt, 2, 1000);
    await yard.pass(300);
    expect(yard.atWork).toBe(2);
  });

  it("is the strictest of those that workers declare", async () => {
    const yard = new LimitYard(9);
    const [old, young] = [yard.worker("old"), yard.worker("young")];
    crowd(old, limit("gpt", { concurrency: 2 }), 20, 500);
    await yard.pass(100);
    crowd(young, limit("gpt", { concurrency: 6 }), 40, 500);
    await yard.pass(3000);
    expect(yard.atWorkMax).toBe(2);
    await yard.pass(60_000);
    expect(yard.atWorkMax).toBe(6);
  });
});

describe("a rate", () => {
  it.each(seeds)("holds in every window, whoever dies (seed %i)", async (seed) => {
    const yard = new LimitYard(seed);
    const count = yard.chance.between(10, 60);
    const rate = { count, perMs: yard.chance.pick([1000, 10_000]) };
    const tokens = limit("tokens", yard.chance.happens(0.5) ? { rate } : { rate, concurrency: 5 });
    const workers = ["a", "b", "c"].map((name) => yard.worker(name));
    for (const worker of workers) {
      for (let i = 0; i < 100; i++) {
        const cost = yard.chance.between(1, 9);
        void worker.use(tokens, yard.chance.between(0, 200), { cost });
      }
    }
    await yard.pass(rate.perMs * 2.5);
    workers[0]?.crash();
    await yard.pass(rate.perMs * 4);
    expect(yard.most(rate.perMs)).toBeLessThanOrEqual(count);
    const total = yard.uses.reduce((sum, { cost }) => sum + cost, 0);
    // Slots, the time of use, and permits that died with the worker cost something.
    const ideal = 6.5 * count * (rate.perMs / (rate.perMs * 1.02 + Math.max(250, rate.perMs / 50)));
    expect(total).toBeGreaterThan(0.5 * ideal);
  });

  it("lets everybody have something of it, also who needs much at once", async () => {
    const yard = new LimitYard(1);
    const tokens = limit("tokens", { rate: { count: 100, perMs: 10_000 } });
    const [small, large] = [yard.worker("small"), yard.worker("large")];
    crowd(small, tokens, 1000, 10);
    for (let i = 0; i < 5; i++) void large.use(tokens, 10, { cost: 90 });
    await yard.pass(120_000);
    expect(large.done).toBeGreaterThan(2);
    expect(small.done).toBeGreaterThan(100);
  });

  it("is waited for with few writes, also for permits that are held meanwhile", async () => {
    const yard = new LimitYard(37);
    const tokens = limit("tokens", { concurrency: 5, rate: { count: 20, perMs: 60_000 } });
    for (const name of ["a", "b", "c"]) {
      const worker = yard.worker(name);
      for (let i = 0; i < 50; i++) void worker.use(tokens, 10, { cost: 7 });
    }
    await yard.pass(30_000);
    const leases = Object.values((await recordOf(yard, "tokens"))?.leases ?? {});
    expect(leases).toHaveLength(3);
    // A sign of life takes one per 1.25 seconds.
    expect(Math.max(...leases.map(({ beat }) => beat))).toBeLessThan(60);
  });

  it("is not forgotten when all workers are replaced", async () => {
    const yard = new LimitYard(2);
    const tokens = limit("tokens", { rate: { count: 10, perMs: 60_000 } });
    const first = yard.worker("first");
    crowd(first, tokens, 10, 10);
    await yard.pass(1000);
    expect(first.done).toBe(10);
    first.crash();
    const second = yard.worker("second");
    crowd(second, tokens, 10, 10);
    await yard.pass(55_000);
    expect(second.done).toBe(0);
    await yard.pass(10_000);
    expect(second.done).toBe(10);
  });
});

describe("several limits of one step", () => {
  it.each(seeds.slice(0, 10))(
    "are all kept, and nobody waits in a circle (seed %i)",
    async (seed) => {
      const yard = new LimitYard(seed);
      const one = limit("one", { concurrency: 3 });
      const two = limit("two", { concurrency: 2, rate: { count: 20, perMs: 2000 } });
      const three = limit("three", { rate: { count: 25, perMs: 2000 } });
      const workers = ["a", "b", "c"].map((name) => yard.worker(name));
      for (const worker of workers) {
        crowd(worker, [one, two, three], 20, 50);
        crowd(worker, [three, one], 10, 50);
        crowd(worker, [two], 10, 50);
      }
      await yard.pass(120_000);
      expect(workers.map((worker) => worker.done)).toEqual([40, 40, 40]);
      expect(yard.atWorkMax).toBeLessThanOrEqual(5);
      expect(yard.most(2000)).toBeLessThanOrEqual(45);
    },
  );

  it("keep the rate exactly while permits come and go (RATE-1)", async () => {
    const rate = { count: 12, perMs: 1000 };
    const gpt = limit("gpt", { concurrency: 3 });
    const tokens = limit("tokens", { rate });
    for (let seed = 0; seed < 100; seed++) {
      const yard = new LimitYard(seed);
      const workers = ["a", "b", "c"].map((name) => yard.worker(name));
      for (let use = 0; use < 60; use++) {
        const worker = workers[yard.chance.between(0, 2)];
        const cost = yard.chance.between(1, 5);
        void worker?.use([gpt, { limit: tokens, cost }], yard.chance.between(1, 400), { cost });
        await yard.pass(yard.chance.between(0, 40));
      }
      await yard.pass(18_000);
      expect(yard.most(rate.perMs), `seed ${seed}`).toBeLessThanOrEqual(rate.count);
    }
  });

  it("keep the rate exactly while askers give up and workers stand still (RATE-2)", async () => {
    const rate = { count: 12, perMs: 1000 };
    const gpt = limit("gpt", { concurrency: 2 });
    const tokens = limit("tokens", { rate });
    for (let seed = 0; seed < 200; seed++) {
      const yard = new LimitYard(seed);
      const { chance } = yard;
      const workers = ["a", "b", "c"].map((name) => yard.worker(name));
      for (let use = 0; use < 25; use++) {
        const worker = workers[chance.between(0, 2)];
        const cost = chance.between(1, 6);
        const weighted = { limit: tokens, cost };
        const uses = chance.happens(0.6) ? [gpt, weighted] : weighted;
        const asker = new AbortController();
        const options = { cost, signal: asker.signal };
        worker?.use(uses, chance.between(1, 300), options).catch(() => undefined);
        await yard.pass(chance.between(0, 200));
        if (chance.happens(0.2)) asker.abort(new Error("given up"));
        if (!chance.happens(0.15)) continue;
        worker?.pause();
        await yard.pass(chance.between(1, 1500));
        worker?.resume();
      }
      await yard.pass(5000);
      expect(yard.most(rate.perMs), `seed ${seed}`).toBeLessThanOrEqual(rate.count);
    }
  });

  it("are not waited for by who is given up", async () => {
    const yard = new LimitYard(1);
    const gpt = limit("gpt", { concurrency: 1 });
    const worker = yard.worker("w");
    void worker.use(gpt, 5000);
    await yard.pass(100);
    const given = new AbortController();
    const waiting = worker.use(gpt, 10, { signal: given.signal });
    void worker.use(gpt, 10);
    given.abort(new Error("given up"));
    await expect(waiting).rejects.toThrow("given up");
    await yard.pass(6000);
    expect(worker.done).toBe(2);
  });

  it("must be declared alike in one worker", () => {
    const worker = new LimitYard(1).worker("w");
    void worker.use(limit("gpt", { concurrency: 1 }), 10);
    const other = limit("gpt", { concurrency: 2 });
    return expect(worker.use(other, 10)).rejects.toMatchObject({ code: "limit-mismatch" });
  });
});
