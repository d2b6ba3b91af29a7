/** Effects that run again although they are recorded, and asks that are made twice, are found. */
import { expect, test } from "vitest";
import { z } from "zod";

import { agent } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { decodeJournalRecord } from "@troupe/core/operate";
import { decodePayload, encodePayload } from "@troupe/core/log";
import { effectFindings } from "./effect-invariants.ts";
import { overlay } from "./overlay.ts";
import { simulateSeeds } from "./simulate-seeds.ts";
import { simulate } from "./simulate.ts";
import type { Stage, System } from "./system.ts";

let world: Stage | undefined;

const shop = agent("shop").on("pay", z.object({}), async (ctx) => {
  const receipts = ["first", "second"].map((name) =>
    ctx.step(name, async (step) => world?.effect(step) ?? ""),
  );
  await Promise.all(receipts);
  if (ctx.message.attempt === 1) throw new Error("once");
  return ctx.ask(vault, "vault").keep({});
});
const vault = agent("vault").on("keep", z.object({}), () => "kept");

const paying: System = {
  agents: [shop, vault],
  settings: { retry: { delayMs: 10, delayMsMax: 20 } },
  drive: async (client, stage) => {
    world = stage;
    await stage.times(4, async (index) => client.send(shop, `shop-${index}`).pay({}));
  },
};

/** A log on which an agent that is activated does not find the steps of its unfinished turn. */
const forgetful = (log: Log): Log =>
  overlay(log, {
    journal: async (...request) => {
      const entries = await log.journal(...request);
      return entries.map((entry) => {
        if (decodeJournalRecord(entry.record).kind !== "steps") return entry;
        const wire = decodePayload(entry.record, "application/msgpack");
        return { ...entry, record: encodePayload({ ...(wire as object), q: [] }) };
      });
    },
  });

test("effects run once each where nothing is wrong", async () => {
  const summary = await simulateSeeds({ ...paying, count: 50 });
  expect(summary).toMatchObject({ runs: 50 });
});

test("an effect that runs again although its process read its record is found (I6)", async () => {
  const failing = simulateSeeds({ ...paying, sabotage: forgetful, count: 200 });
  await expect(failing).rejects.toThrow(/I6: effect-\d+ of shop\/.* ran on worker/);
});

test("an ask that a turn makes twice is found (I13)", async () => {
  const sabotage = (log: Log): Log =>
    overlay(log, {
      accept: async (draft, options) => {
        if (draft.metadata.sender?.startsWith("shop/") === true) {
          await log.accept(draft, options);
          // The log remembers one id.
          await log.accept({ ...draft, metadata: { ...draft.metadata, id: "other" } }, options);
        }
        return log.accept(draft, options);
      },
    });
  const duplicates = { idsMax: 1 };
  const { findings } = await simulate({ ...paying, sabotage, duplicates, seed: 1 });
  expect(findings).toContainEqual(expect.objectContaining({ rule: "I13" }));
});

test("an effect before an earlier message has its turn is found (I13)", async () => {
  const { history } = await simulate({ ...paying, seed: 1 });
  const run = {
    receipt: "effect-1000",
    key: "a key",
    place: { agent: "shop/a", inputPosition: 7, process: "worker-0.1" },
    seen: 0,
    before: ["shop/a@3"],
  };
  expect(effectFindings(history, [run])).toEqual([
    { rule: "I13", what: expect.stringContaining("before shop/a@3 had a turn") },
  ]);
});
