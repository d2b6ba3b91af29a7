/** I15: an input that old code does not know waits for code that does, key by key. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";

import type { Troupe, WorkerOptions } from "@troupe/core";
import type { AgentDefinition } from "@troupe/core/engine";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, topic } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import { resumeDraft } from "@troupe/core/operate";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, heartbeatMs: 10, deadAfterMs: 200, handoverTimeoutMs: 500 },
  retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 2 },
  floorIntervalMs: 5,
} as const;

const orders = topic("orders", z.object({ n: z.number() }));
const refunds = topic("refunds", z.object({ n: z.number() }));

const version1 = agent("book")
  .event("noted", z.string(), (state) => state)
  .on("count", z.number(), (_, n) => n)
  .subscribe(orders, (ctx, { n }) => ctx.emit.noted(`order ${n}`));
const version2 = version1
  .on("split", z.number(), (ctx, n) => {
    ctx.emit.noted(`split ${n}`);
    return n;
  })
  .subscribe(refunds, (ctx, { n }) => ctx.emit.noted(`refund ${n}`));

interface Hosting {
  readonly troupe: Troupe;
  readonly faults: string[];
}

async function hosting(
  host: { connect(): Log },
  definition: AgentDefinition,
  options: WorkerOptions = {},
): Promise<Hosting> {
  const troupe = createTroupe(host.connect());
  onTestFinished(() => troupe.close());
  const faults: string[] = [];
  troupe.inspect((event) => {
    if (event.kind === "fault") faults.push(event.failure.code);
  });
  await troupe.work(definition, { ...quick, ...options });
  return { troupe, faults };
}

function clientOf(broker: MemoryBroker): Troupe {
  const client = createTroupe(broker.connect());
  onTestFinished(() => client.close());
  return client;
}

async function notes(troupe: Troupe, key: string): Promise<readonly unknown[]> {
  const turns = await Array.fromAsync(troupe.turns("book", key));
  return turns.flatMap(({ record }) => record.events.map(({ data }) => data));
}

function deadLetters(broker: MemoryBroker): number {
  return broker.entries().filter(({ kind }) => kind === "dead-letter").length;
}

/** The new code says what it knows, and is gone again before it holds anything. */
async function newCodeWasHere(broker: MemoryBroker): Promise<void> {
  const { troupe } = await hosting(broker, version2, {
    timings: { ...quick.timings, handoverTimeoutMs: 60_000 },
  });
  await troupe.close();
}

describe("I15: a worker with old code", () => {
  it("lets publications wait that only new code subscribes to, and their keys, in order", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const old = await hosting(broker, version1, { id: "old" });
    await newCodeWasHere(broker);
    const client = clientOf(broker);
    await client.publish(orders, "a", { n: 1 });
    await client.publish(refunds, "a", { n: 2 });
    await client.publish(orders, "a", { n: 3 });
    await client.publish(orders, "b", { n: 4 });
    await vi.waitFor(async () => expect(await notes(client, "b")).toEqual(["order 4"]));
    await vi.waitFor(() => expect(old.faults).toEqual(["unknown-here"]));
    expect(await notes(client, "a")).toEqual(["order 1"]);
    await old.troupe.close();
    await hosting(broker, version2, { id: "new" });
    await vi.waitFor(async () => {
      expect(await notes(client, "a")).toEqual(["order 1", "refund 2", "order 3"]);
    });
    expect(await notes(client, "b")).toEqual(["order 4"]);
    expect(deadLetters(broker)).toBe(0);
  });

  it("INTAKE-2: handles nothing behind a publication that only new code subscribes to, while it cannot know", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    let isBlind = false;
    const blinded = {
      connect: () => {
        const log = broker.connect();
        return overlay(log, {
          manifest: (type, options) =>
            isBlind
              ? Promise.reject(new LogUnavailableError("It sees nothing."))
              : log.manifest(type, options),
        });
      },
    };
    const old = await hosting(blinded, version1, { id: "old" });
    const client = clientOf(broker);
    isBlind = true;
    await newCodeWasHere(broker);
    await client.publish(refunds, "a", { n: 1 });
    const { position } = await client.send(version1, "a").count(2);
    isBlind = false;
    await vi.waitFor(() => expect(old.faults).toContain("unknown-here"));
    await old.troupe.close();
    await hosting(broker, version2, { id: "new" });
    await vi.waitFor(async () => {
      const turns = await Array.fromAsync(client.turns("book", "a"));
      expect(turns.at(-1)?.record.inputPosition).toBe(position);
    });
    expect(await notes(client, "a")).toEqual(["refund 1"]);
  });

  it("lets messages wait that only new code handles, and gives what is known to nobody up", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const old = await hosting(broker, version1, { id: "old" });
    await newCodeWasHere(broker);
    const client = clientOf(broker);
    const send = (key: string, message: string): Promise<unknown> =>
      client.log.accept({
        address: { kind: "agent", name: "book", key },
        metadata: { message, contentType: "application/json" },
        payload: new TextEncoder().encode("7"),
      });
    await send("a", "split");
    await send("b", "nonsense");
    await vi.waitFor(() => expect(deadLetters(broker)).toBe(1));
    expect(await client.agent(version2, "b").count(3)).toBe(3);
    await old.troupe.close();
    await hosting(broker, version2, { id: "new" });
    await vi.waitFor(async () => expect(await notes(client, "a")).toEqual(["split 7"]));
    expect(deadLetters(broker)).toBe(1);
  });

  it("lets a stranger's message wait that only its payload names", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const old = await hosting(broker, version1, { id: "old" });
    await newCodeWasHere(broker);
    const client = clientOf(broker);
    const publish = (payload: unknown): unknown =>
      broker.publishForeign("agent", "book", "a", Buffer.from(JSON.stringify(payload)));
    publish({ split: 7 });
    await vi.waitFor(() => expect(old.faults).toEqual(["unknown-here"]));
    publish({ nonsense: 7 });
    await old.troupe.close();
    await hosting(broker, version2, { id: "new" });
    await vi.waitFor(() => expect(deadLetters(broker)).toBe(1));
    expect(await notes(client, "a")).toEqual(["split 7"]);
  });

  it.each([
    ["publications", "refund 2"],
    ["messages", "split 2"],
  ])(
    "lets %s that were deferred for a parked agent wait for the code that knows them",
    async (_what, note) => {
      const broker = createMemoryBroker({ partitions: 1 });
      let isBroken = true;
      const jam = (text: string): string => {
        if (isBroken) throw new Error(`${text} jams`);
        return text;
      };
      const parks = { retry: { attemptsMax: 1, exhausted: "park" } } as const;
      const parking1 = version1.on("jam", z.string(), (_, text) => void jam(text), parks);
      const parking2 = version2.on("jam", z.string(), (_, text) => void jam(text), parks);
      const client = clientOf(broker);
      const newer = await hosting(broker, parking2, { id: "new" });
      await client.send(parking2, "a").jam("it");
      if (note === "split 2") await client.send(parking2, "a").split(2);
      else await client.publish(refunds, "a", { n: 2 });
      await client.publish(orders, "a", { n: 3 });
      await expect(client.agent(parking2, "a").count(1)).rejects.toMatchObject({
        code: "agent-parked",
      });
      await newer.troupe.close();
      const old = await hosting(broker, parking1, { id: "old" });
      isBroken = false;
      await client.log.accept(resumeDraft({ type: "book", key: "a" }));
      await vi.waitFor(() => expect(old.faults).toContain("unknown-here"));
      expect(await notes(client, "a")).toEqual([]);
      await old.troupe.close();
      await hosting(broker, parking2, { id: "newer" });
      await vi.waitFor(async () => {
        expect(await notes(client, "a")).toEqual([note, "order 3"]);
      });
      expect(deadLetters(broker)).toBe(1);
    },
  );

  it("gives its partitions to a worker that knows more", async () => {
    const broker = createMemoryBroker({ partitions: 4 });
    await hosting(broker, version1, { id: "old" });
    await hosting(broker, version2, { id: "new" });
    const client = clientOf(broker);
    for (let n = 0; n < 20; n++) await client.publish(refunds, `key-${n}`, { n });
    await vi.waitFor(
      async () => {
        for (let n = 0; n < 20; n++) {
          expect(await notes(client, `key-${n}`)).toEqual([`refund ${n}`]);
        }
      },
      { timeout: 5000 },
    );
  });

  it("passes no publication over while it cannot read what newer code knows", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    let readable = true;
    const connect = (): Log => {
      const log = broker.connect();
      const manifest: Log["manifest"] = (type, options) =>
        readable
          ? log.manifest(type, options)
          : Promise.reject(new LogUnavailableError("No answer, for this check."));
      return overlay(log, { manifest });
    };
    const old = await hosting({ connect }, version1, { id: "old" });
    readable = false;
    await newCodeWasHere(broker);
    const client = clientOf(broker);
    await client.publish(refunds, "a", { n: 1 });
    await client.publish(orders, "b", { n: 2 });
    await vi.waitFor(() => expect(old.faults).toContain("log-unavailable"));
    expect(await notes(client, "a")).toEqual([]);
    readable = true;
    await vi.waitFor(async () => expect(await notes(client, "b")).toEqual(["order 2"]));
    await old.troupe.close();
    await hosting(broker, version2, { id: "new" });
    await vi.waitFor(async () => expect(await notes(client, "a")).toEqual(["refund 1"]));
  });

  it("does not hide what newer code handles when it starts again", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    await newCodeWasHere(broker);
    const old = await hosting(broker, version1, { id: "old" });
    const manifest = await old.troupe.log.manifest("book");
    expect(manifest?.topics).toEqual(["orders", "refunds"]);
    expect(manifest?.messages).toEqual(["count", "split"]);
  });

  it("goes on with what waited when the name is taken away on purpose", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const old = await hosting(broker, version1, { id: "old" });
    await newCodeWasHere(broker);
    const client = clientOf(broker);
    await client.publish(refunds, "a", { n: 1 });
    await client.publish(orders, "a", { n: 2 });
    await vi.waitFor(() => expect(old.faults).toEqual(["unknown-here"]));
    await client.log.forget("book", { topics: ["refunds"] });
    await vi.waitFor(async () => expect(await notes(client, "a")).toEqual(["order 2"]));
  });
});

describe("a subscription begins", () => {
  it("with everything, or with what comes from now on, as its type says when it is new", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const client = clientOf(broker);
    await client.publish(orders, "a", { n: 1 });
    await hosting(broker, version1);
    const late = agent("late")
      .event("noted", z.string(), (state) => state)
      .subscribe(orders, (ctx, { n }) => ctx.emit.noted(`order ${n}`), { from: "now" });
    await hosting(broker, late, { id: "late" });
    await client.publish(orders, "a", { n: 2 });
    await vi.waitFor(async () => {
      expect(await notes(client, "a")).toEqual(["order 1", "order 2"]);
      const turns = await Array.fromAsync(client.turns("late", "a"));
      expect(turns.map(({ record }) => record.events[0]?.data)).toEqual(["order 2"]);
    });
  });

  it("where it is added, to a type that exists", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const old = await hosting(broker, version1);
    const client = clientOf(broker);
    await client.publish(refunds, "a", { n: 1 });
    await old.troupe.close();
    await hosting(broker, version2);
    await client.publish(refunds, "a", { n: 2 });
    await vi.waitFor(async () => expect(await notes(client, "a")).toEqual(["refund 2"]));
    const past = version2.subscribe(topic("returns", z.object({})), () => undefined, {
      from: "beginning",
    });
    await expect(client.work(past, quick)).rejects.toMatchObject({ code: "definition" });
  });

  it("where it is added, also for a key that is behind", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    const old = await hosting(broker, version1);
    const client = clientOf(broker);
    await old.troupe.close();
    for (let n = 1; n <= 3; n++) await client.publish(orders, "a", { n });
    await client.publish(refunds, "a", { n: 4 });
    await client.publish(orders, "a", { n: 5 });
    await hosting(broker, version2, { keyWindowMax: 1 });
    await client.publish(refunds, "a", { n: 6 });
    await vi.waitFor(async () => {
      const expected = ["order 1", "order 2", "order 3", "order 5", "refund 6"];
      expect(await notes(client, "a")).toEqual(expected);
    });
  });

  it("never, when its worker stops before that, and the worker leaves nothing behind", async () => {
    const broker = createMemoryBroker({ partitions: 1 });
    await (await hosting(broker, version1)).troupe.close();
    const troupe = createTroupe(broker.connect());
    const timings = { ...quick.timings, deadAfterMs: 60_000 };
    const starting = troupe.work(version2, { ...quick, timings });
    await vi.waitFor(async () => {
      expect((await troupe.log.manifest("book"))?.topics).toContain("refunds");
    });
    await Promise.all([
      expect(starting).rejects.toMatchObject({ code: "stopped" }),
      troupe.close(),
    ]);
  });
});
