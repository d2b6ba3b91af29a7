/** A system that would need more readers than the log has is refused when it starts. */
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const named = (type: string) => agent(type).on("ping", z.null(), () => "pong");

test("types beyond the readers that the log takes are refused by name, and nothing starts", async () => {
  const broker = createMemoryBroker({ partitions: 4, limits: { readersMax: 9 } });
  await using troupe = createTroupe(broker.connect("one"));
  await troupe.work([named("first"), named("second")]);
  await using other = createTroupe(broker.connect("two"));
  await expect(other.work(named("third"))).rejects.toMatchObject({
    code: "too-many-readers",
    details: { types: ["third"], typesInAll: 3, partitions: 4, readers: 13, readersMax: 9 },
  });
  expect(await other.log.manifest("third")).toBeUndefined();
  // Types that the log knows need no more room.
  await other.work([named("first"), named("second")]);
});

test("a type that was replaced counts until everything of it is forgotten", async () => {
  const broker = createMemoryBroker({ partitions: 4, limits: { readersMax: 9 } });
  await using troupe = createTroupe(broker.connect("one"));
  await troupe.work([named("first"), named("old")]);
  await using other = createTroupe(broker.connect("two"));
  await expect(other.work(named("new"))).rejects.toMatchObject({ code: "too-many-readers" });
  await troupe.close();
  await other.log.forget("old", { messages: ["ping"] });
  await other.work(named("new"));
  expect(await other.agent(named("new"), "alice").ping(null)).toBe("pong");
});
