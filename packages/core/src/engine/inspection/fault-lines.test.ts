import { describe, expect, it } from "vitest";
import { z } from "zod";

import type { Fault } from "@troupe/core/operate";
import { agent, createTroupe, projection, topic, memoryModel, memorySink } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

import { faultLines } from "./fault-lines.ts";

const unreadable = { code: "undecodable-payload", message: "no journal record", retryable: false };

function fault(what: string, message = "broken"): Fault {
  return { kind: "fault", what, failure: { code: "log-unavailable", message, retryable: true } };
}

describe("the lines of faults", () => {
  it("are a few of each kind, and say how many there were more", () => {
    const lines: string[] = [];
    const alarms: (() => void)[] = [];
    const clock = {
      after: (_: number, alarm: () => void) => {
        alarms.push(alarm);
        return () => undefined;
      },
    };
    const { hear } = faultLines({ clock, write: (line) => lines.push(line) });
    for (let count = 0; count < 100; count += 1) hear(fault(`activation of a/${count}`));
    hear(fault("saving floors"));
    expect(lines).toEqual([
      "troupe: activation of a/0: broken [log-unavailable]",
      "troupe: activation of a/1: broken [log-unavailable]",
      "troupe: activation of a/2: broken [log-unavailable]",
      "troupe: saving floors: broken [log-unavailable]",
    ]);
    for (const alarm of alarms) alarm();
    expect(lines.slice(4)).toEqual([
      "troupe: 97 more of these, the last one: activation of a/99: broken [log-unavailable]",
    ]);
    hear(fault("activation of a/1"));
    expect(lines).toHaveLength(6);
  });

  it("are one line each, whatever stands in them", () => {
    const lines: string[] = [];
    const clock = { after: () => () => undefined };
    const { hear } = faultLines({ clock, write: (line) => lines.push(line) });
    hear(fault("x", `a\nb\u001B[2J\u202E${"y".repeat(5000)}`));
    expect(lines[0]).toMatch(/^troupe: x: a b\\u001b\[2J\\u202ey+$/);
    expect(lines[0]?.length).toBeLessThan(1100);
  });
});

describe("a fault", () => {
  const counter = agent("counter")
    .state({ count: 0 })
    .event("counted", z.object({}), ({ count }) => ({ count: count + 1 }))
    .on("count", z.object({}), (ctx) => ctx.emit.counted({}));

  it("reaches onFault where nobody inspects", async () => {
    const heard = Promise.withResolvers<Fault>();
    const broker = createMemoryBroker();
    const onFault = (each: Fault): void => heard.resolve(each);
    await using troupe = createTroupe(broker.connect(), { onFault });
    const record = new Uint8Array([0xc1]);
    const commit = { agent: { type: "counter", key: "a" }, record, outgoing: [] };
    await troupe.log.commit([{ ...commit, expectedRevision: 0 }]);
    await troupe.work(counter, { timings: { joinDelayMs: 0 } });
    await troupe.send(counter, "a").count({});
    expect(await heard.promise).toMatchObject({
      what: "activation of counter/a",
      failure: { code: unreadable.code },
    });
  });

  it("of a projection does, too", async () => {
    const heard = Promise.withResolvers<Fault>();
    const onFault = (each: Fault): void => heard.resolve(each);
    await using troupe = createTroupe(createMemoryBroker().connect(), { onFault });
    await troupe.work(counter, { timings: { joinDelayMs: 0 } });
    await troupe.agent(counter, "a").count({});
    const broken = projection(
      "broken",
      memoryModel(() => 0),
    ).on(counter, "counted", () => {
      throw new Error("no table");
    });
    const running = await troupe.project(broken, memorySink());
    await expect(running.ended).rejects.toThrow("no table");
    expect(await heard.promise).toMatchObject({
      what: "projection broken",
      failure: { code: "poison-event" },
    });
  });

  it("tells once of a topic that nobody ever subscribed to, from a client and from a turn", async () => {
    const faults: Fault[] = [];
    const heard = Promise.withResolvers<void>();
    const onFault = (each: Fault): void => {
      faults.push(each);
      if (faults.length === 2) heard.resolve();
    };
    const lonely = topic("lonely", z.object({}));
    const quiet = topic("quiet", z.object({}));
    const news = topic("news", z.object({}));
    const reader = agent("reader")
      .subscribe(news, (ctx) => ctx.publish(quiet, "here", {}))
      .on("count", z.object({}), () => 1);
    await using troupe = createTroupe(createMemoryBroker().connect(), { onFault });
    await troupe.work(reader, { timings: { joinDelayMs: 0 } });
    for (const each of [lonely, news, lonely, news]) await troupe.publish(each, "here", {});
    await heard.promise;
    await troupe.agent(reader, "here").count({});
    const told = faults.map(({ failure, what }) => `${what} ${failure.code}`);
    expect(told.toSorted()).toEqual([
      "publishing on lonely no-subscriber",
      "publishing on quiet no-subscriber",
    ]);
  });

  it("ends nothing when onFault throws", async () => {
    const onFault = (): never => {
      throw new Error("not heard");
    };
    const broker = createMemoryBroker();
    await using troupe = createTroupe(broker.connect(), { onFault });
    await troupe.work(counter, { timings: { joinDelayMs: 0 } });
    const commit = { agent: { type: "counter", key: "a" }, outgoing: [] };
    const record = new Uint8Array([0xc1]);
    await troupe.log.commit([{ ...commit, record, expectedRevision: 0 }]);
    await troupe.send(counter, "a").count({});
    await expect(troupe.agent(counter, "b").count({})).resolves.not.toThrow();
  });
});
