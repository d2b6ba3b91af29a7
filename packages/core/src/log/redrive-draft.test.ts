import { expect, it, vi } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import type { Log, LogEntry } from "@troupe/core/log";
import { agent, createTroupe, topic } from "@troupe/core";
import { redriveDraft } from "@troupe/core/operate";
import { createMemoryBroker } from "@troupe/testing";

const orders = topic("orders", z.object({ item: z.string() }));
const heard = vi.fn<(who: string, item: string) => void>();
let isBroken = true;

function subscriber<Type extends string>(type: Type) {
  return agent(type)
    .state({ items: 0 })
    .subscribe(orders, (_, { item }) => {
      if (type === "stock" && isBroken) throw new Error("no stock list");
      heard(type, item);
    })
    .on("count", z.object({ by: z.number() }), (ctx, { by }) => {
      if (isBroken) throw new Error("cannot count");
      heard(ctx.message.sender ?? "nobody", String(by));
    });
}

const quick = { timings: { joinDelayMs: 0 }, retry: { attemptsMax: 1 } } as const;

type DeadLetterEntry = LogEntry & { readonly kind: "dead-letter" };

async function deadLetters(log: Log): Promise<DeadLetterEntry[]> {
  const letters: DeadLetterEntry[] = [];
  for await (const entry of log.follow({ from: 1, untilNow: true })) {
    if (entry.kind === "dead-letter") letters.push(entry);
  }
  return letters;
}

async function redrive({ log }: Troupe, { deadLetter, position }: DeadLetterEntry) {
  const original = await log.input(deadLetter.inputPosition);
  if (original === undefined || deadLetter.agent === undefined) throw new Error("no original");
  return log.accept(redriveDraft({ position, agent: deadLetter.agent, original }));
}

it("sends a publication again to the one agent that could not handle it, once", async () => {
  isBroken = true;
  heard.mockClear();
  await using troupe = createTroupe(createMemoryBroker().connect());
  await troupe.work([subscriber("stock"), subscriber("invoice")], quick);
  await troupe.publish(orders, "alice", { item: "lamp" });
  await vi.waitFor(async () => expect(await deadLetters(troupe.log)).toHaveLength(1));
  await vi.waitFor(() => expect(heard.mock.calls).toEqual([["invoice", "lamp"]]));

  const [letter] = await deadLetters(troupe.log);
  await redrive(troupe, letter!);
  await vi.waitFor(async () => expect(await deadLetters(troupe.log)).toHaveLength(2));
  const [, again] = await deadLetters(troupe.log);
  expect(again?.deadLetter).toMatchObject({
    agent: { type: "stock" },
    origin: "agent/stock/alice",
  });

  isBroken = false;
  expect((await redrive(troupe, again!)).duplicate).toBe(false);
  expect((await redrive(troupe, again!)).duplicate).toBe(true);
  await vi.waitFor(() => expect(heard.mock.calls).toHaveLength(2));
  await troupe.agent(subscriber("stock"), "alice").count({ by: 1 });
  expect(heard.mock.calls.slice(0, 2)).toEqual([
    ["invoice", "lamp"],
    ["stock", "lamp"],
  ]);
  expect(heard.mock.calls).toHaveLength(3);
});

it("keeps who sent a message and how it is encoded, and that nobody waits for it", () => {
  const original = {
    position: 4,
    address: { kind: "agent", name: "stock", key: "a" },
    metadata: {
      id: "first",
      message: "count",
      contentType: "application/msgpack",
      sender: "desk/1",
      replyTo: "somewhere",
      deadlineMs: 1,
    },
    payload: new Uint8Array([1]),
    acceptedAtMs: 1,
  } as const;
  const draft = redriveDraft({ position: 9, agent: { type: "stock", key: "a" }, original });
  expect(draft.metadata).toEqual({
    id: "redrive:9",
    message: "count",
    contentType: "application/msgpack",
    sender: "desk/1",
  });
  expect(draft.payload).toBe(original.payload);
});
