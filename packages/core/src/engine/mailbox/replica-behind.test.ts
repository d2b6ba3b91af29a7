/**
 * Replicas that are behind: an entry that they do not show is never taken for one that is not there
 * (LOG-8).
 */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import type { Troupe } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe, topic } from "@troupe/core";
import { resumeDraft } from "@troupe/core/operate";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker, overlay } from "@troupe/testing";

const quick = {
  timings: { joinDelayMs: 0, deadAfterMs: 200, heartbeatMs: 50, handoverTimeoutMs: 100 },
  retry: { attemptsMax: 1, delayMs: 1, delayMsMax: 2 },
} as const;
const patience = { timeout: 10_000 };

interface End {
  at: number;
  /** Number of reads of journals after which the replica has caught up. @default never */
  journals?: number;
}

/** A connection whose reads end at a position, unless they are firm. */
function behind(broker: MemoryBroker, end: End): Log {
  const log = broker.connect();
  return overlay(log, {
    inputsOf: async (...request) => {
      const page = await log.inputsOf(...request);
      return request[4]?.firm === true ? page : page.filter(({ position }) => position <= end.at);
    },
    journal: async (...request) => {
      const page = await log.journal(...request);
      if (request[2]?.firm === true) return page;
      if (end.journals !== undefined && end.journals-- <= 0) end.at = Infinity;
      return page.filter(({ revision }) => revision <= end.at);
    },
  });
}

const notes = topic("notes", z.string());

/** Parks on "broken" until it is mended, and notes what it handled. */
function desk(seen: string[]) {
  const state = { broken: true };
  const note = (text: string): void => {
    if (state.broken && text === "broken") throw new Error("no");
    seen.push(text);
  };
  const definition = agent("desk")
    .on("note", z.string(), (_, text) => note(text), { retry: { exhausted: "park" } })
    .subscribe(notes, (_, text) => note(text), { retry: { exhausted: "park" } });
  return { definition, mend: () => void (state.broken = false) };
}

async function parked(broker: MemoryBroker): Promise<number> {
  let position = 0;
  await vi.waitFor(() => {
    const letter = broker.entries().findIndex((entry) => entry.kind === "dead-letter");
    expect(letter).toBeGreaterThanOrEqual(0);
    position = letter + 1;
  }, patience);
  return position;
}

async function resume(troupe: Troupe): Promise<void> {
  await troupe.log.accept(resumeDraft({ type: "desk", key: "k" }));
}

test("I1, BACKLOG-1: a key that is behind reads back what a replica does not show, without a hole", async () => {
  const seen: string[] = [];
  const open = Promise.withResolvers<void>();
  const slow = agent("slow")
    .on("note", z.string(), async (_, text) => {
      if (text === "0") await open.promise;
      seen.push(text);
    })
    .subscribe(notes, (_, text) => void seen.push(text));
  const broker = createMemoryBroker({ partitions: 1 });
  const log = broker.connect();
  // The replica that answers for topics has nothing at all.
  const lacksTopics = overlay(log, {
    inputsOf: (of, topics, after, before, options) =>
      log.inputsOf(of, options?.firm === true ? topics : [], after, before, options),
  });
  await using troupe = createTroupe(lacksTopics);
  await troupe.work(slow, { ...quick, windowMax: 16, keyWindowMax: 2 });
  const texts = Array.from({ length: 12 }, (_, i) => String(i));
  for (const [i, text] of texts.entries()) {
    if (i % 2 === 0) await troupe.send(slow, "k").note(text);
    else await troupe.publish(notes, "k", text);
  }
  open.resolve();
  await vi.waitFor(() => expect(seen).toHaveLength(12), patience);
  expect(seen).toEqual(texts);
});

test("PARK-2, PARK-4: a resumption does not end before what a replica does not show is handled", async () => {
  const seen: string[] = [];
  const { definition, mend } = desk(seen);
  const broker = createMemoryBroker({ partitions: 1 });
  const end = { at: Infinity };
  await using troupe = createTroupe(behind(broker, end));
  await troupe.work(definition, quick);
  await troupe.send(definition, "k").note("broken");
  end.at = await parked(broker);
  for (const text of ["1", "2", "3"]) await troupe.send(definition, "k").note(text);
  mend();
  await resume(troupe);
  await troupe.send(definition, "k").note("4");
  await vi.waitFor(() => expect(seen).toContain("4"), patience);
  expect(seen).toEqual(["broken", "1", "2", "3", "4"]);
});

test("PARK-4: a worker that takes over does not pass a message because a replica says that its agent is parked", async () => {
  const seen: string[] = [];
  const { definition, mend } = desk(seen);
  const broker = createMemoryBroker({ partitions: 1 });
  const first = createTroupe(broker.connect());
  await first.work(definition, quick);
  await first.send(definition, "k").note("broken");
  const end = { at: await parked(broker), journals: 4 };
  mend();
  await resume(first);
  await vi.waitFor(() => expect(seen).toEqual(["broken"]), patience);
  await first.close();
  await using second = createTroupe(behind(broker, end));
  await second.work(definition, quick);
  await second.agent(definition, "k").note("after");
  expect(seen).toEqual(["broken", "after"]);
});

test("PARK-4: the message that resumes is not dropped because a replica does not know of the parking", async () => {
  const seen: string[] = [];
  const { definition, mend } = desk(seen);
  const broker = createMemoryBroker({ partitions: 1 });
  const first = createTroupe(broker.connect());
  await first.work(definition, quick);
  await first.send(definition, "k").note("first");
  await vi.waitFor(() => expect(seen).toEqual(["first"]), patience);
  const end = { at: broker.entries().length, journals: 3 };
  await first.send(definition, "k").note("broken");
  await parked(broker);
  await first.close();
  mend();
  await using second = createTroupe(behind(broker, end));
  await resume(second);
  await second.work(definition, quick);
  await vi.waitFor(() => expect(seen).toEqual(["first", "broken"]), patience);
});
