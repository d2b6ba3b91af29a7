/** A message that a mailbox has begun and gives back keeps its place in the order. */
import { expect, it, vi } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { LogUnavailableError } from "@troupe/core/errors";
import type { Troupe } from "@troupe/core";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0 },
  retry: { attemptsMax: 5, delayMs: 1, delayMsMax: 2 },
} as const;

const text = z.string();
const state = { count: 0 };
const next = ({ count }: typeof state): typeof state => ({ count: count + 1 });

async function notesOf(troupe: Troupe, type: string): Promise<readonly unknown[]> {
  const notes: unknown[] = [];
  for await (const { record } of troupe.turns(type, "alice")) {
    notes.push(...record.events.map(({ data }) => data));
  }
  return notes;
}

it("parks a message only after what came before it, also when the commit of that fails (I2)", async () => {
  const clerk = agent("clerk")
    .state(state)
    .event("noted", text, next)
    .on(
      "note",
      text,
      (ctx, note) => {
        if (note === "bad") throw new Error("bad");
        ctx.emit.noted(note);
      },
      { retry: { attemptsMax: 1, exhausted: "park" } },
    );
  const broker = createMemoryBroker({ partitions: 1 });
  await using troupe = createTroupe(broker.connect());
  await troupe.work(clerk, quick);
  await troupe.agent(clerk, "alice").note("warm");
  broker.failNextCommit("unavailable");
  const send = troupe.send(clerk, "alice");
  await Promise.all([send.note("good"), send.note("bad")]);
  await vi.waitFor(() => {
    expect(broker.entries().some(({ kind }) => kind === "dead-letter")).toBe(true);
  });
  expect(await notesOf(troupe, "clerk")).toEqual(["warm", "good"]);
});

it("hands nothing to a handler before what a stopping worker gave back (I1, I2)", async () => {
  let runs = 0;
  const clerk = agent("clerk")
    .state(state)
    .event("noted", text, next)
    .on("note", text, (ctx, note) => {
      if (note === "first" && ++runs === 2) throw new Error("once");
      ctx.emit.noted(note);
      return ctx.state.count;
    });
  const broker = createMemoryBroker({ partitions: 1 });
  const connection = broker.connect();
  const [held, failing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const released = Promise.withResolvers<void>();
  let commits = 0;
  const stopping = createTroupe(
    overlay(connection, {
      commit: async (turns) => {
        // That of the second message fails while the worker stops.
        if (++commits !== 2) return connection.commit(turns);
        held.resolve();
        await failing.promise;
        throw new LogUnavailableError("No answer, says the test.");
      },
      read: (request) => {
        const reader = connection.read(request);
        const stop = (): Promise<void> => {
          released.resolve();
          return reader.stop();
        };
        return { grant: (count, bytes) => reader.grant(count, bytes), stop };
      },
    }),
  );
  const worker = await stopping.work(clerk, quick);
  await using client = createTroupe(broker.connect());
  await client.agent(clerk, "alice").note("warm");
  const send = client.send(clerk, "alice");
  await Promise.all([send.note("first"), send.note("second")]);
  await held.promise;
  const stopped = worker.stop();
  await released.promise;
  failing.resolve();
  await stopped;
  await client.work(clerk, quick);
  expect(await client.agent(clerk, "alice").note("third")).toBe(4);
  expect(await notesOf(client, "clerk")).toEqual(["warm", "first", "second", "third"]);
  await stopping.close();
});
