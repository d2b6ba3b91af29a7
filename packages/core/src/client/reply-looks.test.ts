import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import type { Position } from "@troupe/core/log";
import { createMemoryBroker, overlay } from "@troupe/testing";

import { soughtReply } from "../engine/turn/find-reply.ts";
import { ReplyLooks } from "./reply-looks.ts";

const clerk = agent("clerk").on("note", z.number(), (_, note) => note);
const name = { type: "clerk", key: "a" };

it("reads a journal twice at most for however many asks that look at once (I7)", async () => {
  const broker = createMemoryBroker({ journalPageMax: 10 });
  await using troupe = createTroupe(broker.connect());
  await troupe.work(clerk, { timings: { joinDelayMs: 0 } });
  for (let note = 0; note < 30; note++) await troupe.agent(clerk, "a").note(note);
  const { log } = troupe;
  const pages: Position[] = [];
  const counting = overlay(log, {
    journal: (whose, after, options) => {
      pages.push(after);
      return log.journal(whose, after, options);
    },
  });
  const looks = new ReplyLooks(counting);
  const inputs = broker.entries().filter(({ kind }) => kind === "input");
  const positions = inputs.map((entry) => (entry.kind === "input" ? entry.input.position : 0));
  const found = await Promise.all(
    [...positions, ...positions].map((each) => looks.look(name, soughtReply(each))),
  );
  expect(found.map((reply) => reply?.value)).toEqual(
    [...positions, ...positions].map((_, index) => index % 30),
  );
  expect(pages.length).toBeLessThanOrEqual(1 + 3);
  // Records that were read for an ask are not read for it again.
  const coming = soughtReply((positions.at(-1) ?? 0) + 10);
  coming.after = 0;
  expect(await looks.look(name, coming)).toBeUndefined();
  pages.length = 0;
  expect(await looks.look(name, coming)).toBeUndefined();
  expect(pages).toHaveLength(1);
});

it("says to all of them that the journal cannot be read", async () => {
  await using troupe = createTroupe(createMemoryBroker().connect());
  const failing = overlay(troupe.log, { journal: () => Promise.reject(new Error("away")) });
  const looks = new ReplyLooks(failing);
  const both = [looks.look(name, soughtReply(1)), looks.look(name, soughtReply(2))];
  const outcomes = await Promise.allSettled(both);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
