/** Recovery of a mailbox when several things go wrong at once. */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { InspectionEvent, Troupe, WorkerOptions } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { LogRefusedError, LogUnavailableError } from "@troupe/core/errors";
import { createMemoryBroker } from "@troupe/testing";
import { countingClock } from "../../../fixtures/counting-clock.ts";

const quick = {
  timings: { joinDelayMs: 0 },
  retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 2 },
} as const;

const parks = { retry: { exhausted: "park" } } as const;

async function desk(
  definition: AgentDefinition,
  options: WorkerOptions = quick,
): Promise<{ readonly broker: ReturnType<typeof createMemoryBroker>; readonly troupe: Troupe }> {
  const broker = createMemoryBroker();
  const troupe = createTroupe(broker.connect());
  await troupe.work(definition, options);
  return { broker, troupe };
}

describe("a mailbox", () => {
  it("keeps the order when the commit of a turn and of the parking behind it both fail (I1, I2)", async () => {
    let failures = 1;
    const clerk = agent("clerk")
      .state({ texts: [] as readonly string[] })
      .event("noted", z.string(), ({ texts }, text) => ({ texts: [...texts, text] }))
      .on(
        "note",
        z.string(),
        (ctx, text) => {
          if (text === "2" && failures-- > 0) throw new Error("once");
          ctx.emit.noted(text);
        },
        parks,
      )
      .on("show", z.object({}), (ctx) => ctx.state.texts);
    const { broker, troupe } = await desk(clerk);
    const alice = troupe.send(clerk, "alice");
    await troupe.agent(clerk, "alice").note("warm");
    broker.failNextCommit("unavailable");
    broker.failNextCommit("unavailable");
    await Promise.all([alice.note("1"), alice.note("2")]);
    await vi.waitFor(async () => {
      const shown = await troupe.agent(clerk, "alice").show({});
      expect(shown).toEqual(["warm", "1", "2"]);
    });
    await troupe.close();
  });

  it("parks a message whose failure is too large to store, once (I10)", async () => {
    const runs = vi.fn<() => never>(() => {
      throw new Error("x".repeat(2_000_000));
    });
    const { broker, troupe } = await desk(agent("loud").on("shout", z.object({}), runs, parks));
    await troupe.log.accept({
      address: { kind: "agent", name: "loud", key: "a" },
      metadata: { message: "shout" },
      payload: Buffer.from("{}"),
    });
    await vi.waitFor(() => {
      expect(broker.entries().filter(({ kind }) => kind === "dead-letter")).toHaveLength(1);
    });
    expect(runs).toHaveBeenCalledTimes(1);
    await troupe.close();
  });

  it("records a step whose append was given up before it began (I6)", async () => {
    const charge = vi.fn<() => Promise<string>>(async () => "charged");
    let runs = 0;
    const reached = Promise.withResolvers<void>();
    const shop = agent("shop")
      .on("ping", z.object({}), () => null)
      .on("buy", z.object({}), async (ctx) => {
        runs += 1;
        const charging = ctx.step("charge", charge);
        // The first run ends while the append waits for the turn before it to be committed.
        if (runs === 1) await Promise.all([charging, Promise.reject(new Error("once"))]);
        await charging;
        await ctx.step("ship", async () => "shipped");
        if (runs > 2) return charge.mock.calls.length;
        reached.resolve();
        return new Promise<number>(() => undefined);
      });
    const broker = createMemoryBroker();
    const crashing = broker.connect();
    const first = createTroupe(crashing);
    const asker = createTroupe(broker.connect());
    await first.work(shop, { ...quick, retry: { ...quick.retry, attemptsMax: 5 } });
    await asker.agent(shop, "a").ping({});
    const bought = [asker.send(shop, "a").ping({}), asker.agent(shop, "a").buy({})] as const;
    await reached.promise;
    crashing.crash();
    const second = createTroupe(broker.connect());
    await second.work(shop, quick);
    expect(await bought[1]).toBe(1);
    expect(charge).toHaveBeenCalledTimes(1);
    await Promise.all([asker.close(), second.close()]);
  });

  it("counts the runs of a message that failed, when the commit before it fails while it is tried again", async () => {
    const [checking, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let checks = 0;
    const slow: StandardSchemaV1<unknown, unknown> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => {
          checks += 1;
          // The asker's own, that of the first run, and that of the second one.
          if (checks !== 3) return { value };
          checking.resolve();
          return commit.promise.then(() => ({ value }));
        },
      },
    };
    const attempts: number[] = [];
    const clerk = agent("clerk")
      .on("first", z.object({}), () => null)
      .on("second", slow, (ctx) => {
        attempts.push(ctx.message.attempt);
        throw new Error("always");
      });
    const log = createMemoryBroker().connect();
    let commits = 0;
    const troupe = createTroupe(
      withCommit(log, async (turns) => {
        // The first turn is on its way until the second message is tried again.
        if (++commits > 1) return log.commit(turns);
        await checking.promise;
        throw new LogUnavailableError("No answer, says the test.");
      }),
    );
    const failed = happened(troupe, "commit.failed");
    await troupe.work(clerk, { ...quick, retry: { ...quick.retry, attemptsMax: 2 } });
    await troupe.send(clerk, "a").first({});
    const asked = troupe.agent(clerk, "a").second({});
    await Promise.all([
      expect(asked).rejects.toMatchObject({ code: "remote-turn-failed" }),
      failed.then(() => commit.resolve()),
    ]);
    expect(attempts).toEqual([1, 2]);
    await troupe.close();
  });

  it("tells how often the handler ran, however often the log does not take that it failed", async () => {
    const broker = createMemoryBroker();
    const log = broker.connect();
    const errors = [
      new LogRefusedError("This is never stored, says the test."),
      new LogUnavailableError("No answer, says the test."),
      new LogUnavailableError("No answer, says the test."),
    ];
    const troupe = createTroupe(
      withCommit(log, async (turns) => {
        const error = errors.shift();
        if (error !== undefined) throw error;
        return log.commit(turns);
      }),
    );
    const runs = vi.fn<() => null>(() => null);
    const clerk = agent("clerk").on("note", z.object({}), runs);
    await troupe.work(clerk, quick);
    await expect(troupe.agent(clerk, "a").note({})).rejects.toMatchObject({
      remote: { code: "log-refused" },
    });
    const letters = broker
      .entries()
      .flatMap((entry) => (entry.kind === "dead-letter" ? [entry.deadLetter.attempts] : []));
    expect(letters).toEqual([1]);
    expect(runs).toHaveBeenCalledTimes(1);
    await troupe.close();
  });

  it("gives a message up whose schema never settles (I10)", async () => {
    const never: StandardSchemaV1<unknown, unknown> = {
      "~standard": { version: 1, vendor: "test", validate: () => new Promise(() => undefined) },
    };
    const stuck = agent("stuck")
      .on("wait", never, () => null)
      .on("answer", z.object({}), () => "here");
    const retry = { ...quick.retry, attemptsMax: 2, timeoutMs: 5 };
    const { troupe } = await desk(stuck, { ...quick, retry });
    await expect(troupe.agent(stuck, "a").wait({})).rejects.toMatchObject({
      remote: { code: "turn-timeout" },
    });
    expect(await troupe.agent(stuck, "a").answer({})).toBe("here");
    await troupe.close();
  });

  it("leaves no timer behind when a worker stops in the middle of a handler", async () => {
    const clock = countingClock();
    const entered = Promise.withResolvers<void>();
    const endless = agent("endless").on("run", z.object({}), () => {
      entered.resolve();
      return new Promise<never>(() => undefined);
    });
    const troupe = createTroupe(createMemoryBroker().connect(), { clock });
    const worker = await troupe.work(endless, quick);
    await troupe.send(endless, "a").run({});
    await entered.promise;
    await worker.stop({ drainTimeoutMs: 1 });
    await troupe.close();
    expect(clock.waiting()).toBe(0);
  });
});

function withCommit(log: Log, commit: Log["commit"]): Log {
  return new Proxy(log, {
    get(target, name) {
      const value: unknown = name === "commit" ? commit : Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function happened(troupe: Troupe, kind: InspectionEvent["kind"]): Promise<void> {
  return new Promise((resolve) => {
    troupe.inspect((event) => {
      if (event.kind === kind) resolve();
    });
  });
}
