/** A type that is far behind reads at its own pace, and joins the others when it has caught up. */
import { expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";

import type { Reader, ReadRequest } from "@troupe/core/log";
import { agent, createTroupe, topic } from "@troupe/core";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0, heartbeatMs: 20 }, floorIntervalMs: 5 } as const;
const news = topic("news", z.number());
const old = agent("old").on("ping", z.null(), () => "pong");
const reader = agent("reader")
  .event("read", z.number(), (state) => state)
  .on("ping", z.null(), () => "pong")
  .subscribe(news, (ctx, n) => ctx.emit.read(n));

const patience = { timeout: 20_000 };
/** More than a reader goes back for a type that is taken. */
const past = 1200;

it("does not stop the other types of its worker while it reads the past", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const before = createTroupe(broker.connect());
  await before.work(old, quick);
  for (let n = 0; n < past; n++) await before.publish(news, `key-${n % 7}`, n);
  expect(await before.agent(old, "a").ping(null)).toBe("pong");
  await vi.waitFor(async () => {
    const [floor] = await before.log.floors();
    expect(floor?.position).toBeGreaterThan(past);
  });
  await before.close();

  const base = broker.connect();
  const open = new Set<ReadRequest>();
  const held: ReadRequest[] = [];
  const read = (request: ReadRequest): Reader => {
    const made = base.read(request);
    open.add(request);
    return {
      grant: (...credit) => made.grant(...credit),
      stop: () => {
        open.delete(request);
        return made.stop();
      },
    };
  };
  let isHeld = true;
  const ended = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const log = overlay(base, {
    read: (request) => {
      // A reader from the beginning gets nothing for now.
      if (!isHeld || request.source === "unroutable" || request.after > 0) return read(request);
      held.push(request);
      return { grant: () => undefined, stop: ended };
    },
  });
  const troupe = createTroupe(log);
  onTestFinished(() => troupe.close());
  await troupe.work([old, reader], quick);
  expect(held).toHaveLength(1);
  expect(await troupe.agent(old, "a").ping(null)).toBe("pong");

  isHeld = false;
  const slow = base.read({ ...held[0]!, credit: 1_000_000 });
  onTestFinished(() => slow.stop());
  await vi.waitFor(async () => {
    const turns = await Array.fromAsync(troupe.turns("reader", "key-0"));
    expect(turns).toHaveLength(Math.ceil(past / 7));
  }, patience);
  // Now they read together: new inputs are handled by both, through one reader.
  await troupe.publish(news, "key-0", 1);
  expect(await troupe.agent(reader, "key-0").ping(null)).toBe("pong");
  expect(await troupe.agent(old, "a").ping(null)).toBe("pong");
  expect(ended).toHaveBeenCalled();
  expect([...open].filter(({ source }) => source === 0)).toHaveLength(1);
});
