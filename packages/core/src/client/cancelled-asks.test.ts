import { expect, it } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker } from "@troupe/testing";

const quick = { timings: { joinDelayMs: 0 } } as const;
const deaf = agent("deaf").on("call", z.object({}), () => new Promise<never>(() => undefined));

// Vitest fails on an unhandled rejection, and nobody awaits these asks.
it("thousands of asks that are let go of and cancelled at once end nothing", async () => {
  await using troupe = createTroupe(createMemoryBroker().connect());
  await troupe.work(deaf, quick);
  const { signal, abort } = abortable();
  const asked = Array.from({ length: 5000 }, (_, index) =>
    troupe.agent(deaf, `${index % 100}`, { signal }).call({}),
  );
  abort();
  await expect(asked.at(-1)).rejects.toMatchObject({ code: "ask-cancelled" });
  const late = troupe.agent(deaf, "late", { signal });
  void late.call({});
});

it("closing a client ends asks that were let go of, and nothing else", async () => {
  const troupe = createTroupe(createMemoryBroker().connect());
  const worker = await troupe.work(deaf, quick);
  const asked = troupe.agent(deaf, "a").call({});
  void troupe.agent(deaf, "b").call({});
  await worker.stop({ drainTimeoutMs: 0 });
  await troupe.close();
  await expect(asked).rejects.toMatchObject({ code: "stopped" });
});

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
