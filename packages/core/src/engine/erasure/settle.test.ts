/**
 * Messages of turns, when an erasure comes while it is unknown whether they are stored (B1, B2).
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { agent } from "../../definition/agent.ts";
import { createTroupe } from "../../client/troupe.ts";
import { LogUnavailableError } from "../../errors/log-errors.ts";
import type { InputDraft } from "../../definition/message/input.ts";
import type { JournalFence, Log } from "../../log/log.ts";
import type { MemoryBroker } from "@troupe/testing";
import { createMemoryBroker, overlay } from "@troupe/testing";

const receiver = agent("receiver").on("take", z.string(), () => undefined);
const sender = agent("sender").on("go", z.string(), (context, text) => {
  context.send(receiver, "b").take(text);
});
/** Each worker hosts everything. */
const alone: Partial<Log> = { onPresence: () => () => undefined };

test("B1: what an agent sent before it was erased is stored, once", async () => {
  const broker = createMemoryBroker({ limits: { dispatchMax: 8 } });
  await using stuck = await stuckWorker(broker, async () => undefined);
  await using client = createTroupe(broker.connect());
  await client.erase(sender, "a");
  expect(taken(broker)).toEqual(["sender@1:0"]);
  stuck.letGo();
  await restarted(broker);
  expect(taken(broker).filter((id) => id === "sender@1:0")).toHaveLength(1);
});

test("B2: a message that was erased is not sent again by who does not know that it was stored", async () => {
  const broker = createMemoryBroker({ limits: { dispatchMax: 8 } });
  const store = async (log: Log, drafts: readonly InputDraft[], fence: JournalFence) =>
    void (await log.dispatch(drafts, fence));
  await using stuck = await stuckWorker(broker, store);
  expect(taken(broker)).toEqual(["sender@1:0"]);
  await using client = createTroupe(broker.connect());
  await client.erase(receiver, "b");
  stuck.letGo();
  await restarted(broker);
  expect(taken(broker)).not.toContain("sender@1:0");
});

/** A worker that does not hear what became of the messages of its first turn until it is told. */
async function stuckWorker(
  broker: MemoryBroker,
  store: (log: Log, drafts: readonly InputDraft[], fence: JournalFence) => Promise<void>,
) {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const log = broker.connect();
  const dispatch: Log["dispatch"] = async (drafts, fence) => {
    await store(log, drafts, fence);
    reached.resolve();
    await gate.promise;
    throw new LogUnavailableError("No answer, says the test.");
  };
  const troupe = createTroupe(overlay(log, { ...alone, dispatch }));
  await troupe.work(sender, { timings: { joinDelayMs: 0 } });
  await troupe.send(sender, "a").go("hello");
  await reached.promise;
  return {
    letGo: () => gate.resolve(),
    async [Symbol.asyncDispose]() {
      gate.resolve();
      await troupe.close();
    },
  };
}

/** Another worker starts from the journal, and has handled all that was sent before. */
async function restarted(broker: MemoryBroker): Promise<void> {
  await using troupe = createTroupe(overlay(broker.connect(), alone));
  await troupe.work(sender, { timings: { joinDelayMs: 0 } });
  await troupe.agent(sender, "a").go("again");
}

function taken(broker: MemoryBroker): readonly string[] {
  return broker.entries().flatMap((entry) => {
    if (entry.kind !== "input" || entry.input.metadata.message !== "take") return [];
    return [entry.input.metadata.id ?? ""];
  });
}
