/** The line of messages that may end their process (RUN-3), when agents come and go. */
import { expect, it, vi } from "vitest";
import { z } from "zod";

import { agent, createTroupe } from "@troupe/core";
import { decodeJournalRecord } from "@troupe/core/operate";
import type { InspectionEvent } from "@troupe/core";
import { createMemoryBroker, overlay } from "@troupe/testing";

import { keyToToken } from "../../definition/message/key-token.ts";
import { partitionOfToken } from "../../definition/message/partition.ts";
import { assignPartitions } from "../ownership/assignment.ts";

const partitions = 2;
const settings = {
  timings: { joinDelayMs: 0, heartbeatMs: 40, deadAfterMs: 400 },
  retry: { attemptsMax: 9, delayMs: 600_000, delayMsMax: 600_000 },
} as const;

const clerks = (run: (key: string) => unknown) =>
  agent("clerk").on("note", z.string(), async (ctx) => {
    await run(ctx.agent.key);
    return ctx.agent.key;
  });
const never = (): Promise<never> => Promise.withResolvers<never>().promise;

/** A key whose partition the worker holds when both are there. */
function keyOf(worker: "stays" | "joins"): string {
  const holders = assignPartitions(["stays", "joins"], partitions);
  const keys = Array.from({ length: 100 }, (_, index) => `key-${index}`);
  const isHeld = (key: string): boolean =>
    holders[partitionOfToken(keyToToken(key), partitions)] === worker;
  return keys.find(isHeld) ?? "";
}

it("goes on when the agent at its head is handed over between two runs", async () => {
  const [moving, staying] = [keyOf("joins"), keyOf("stays")];
  const broker = createMemoryBroker({ partitions });
  await using client = createTroupe(broker.connect());
  const host = async (id: string, run: (key: string) => unknown) => {
    const connection = broker.connect();
    const troupe = createTroupe(connection, { onFault: false });
    const events: InspectionEvent["kind"][] = [];
    troupe.inspect(({ kind }) => events.push(kind));
    await troupe.work(clerks(run), { ...settings, id });
    const has = (kind: InspectionEvent["kind"]) =>
      vi.waitFor(() => expect(events).toContain(kind), { timeout: 5000 });
    return { connection, has, troupe };
  };
  const ask = client.agent(clerks(never), staying, { timeoutMs: 10_000 });
  // The first death makes it a suspect, the second lets it run alone.
  for (const id of ["first", "second"]) {
    const dying = await host(id, never);
    if (id === "first") await client.send(clerks(never), moving).note("deadly");
    await dying.has("turn.started");
    dying.connection.crash();
  }
  const first = await host("stays", (key) => {
    if (key === moving) throw new Error("Not here.");
  });
  await first.has("turn.retrying");
  const asked = ask.note("behind it");
  const second = await host("joins", () => undefined);
  expect(await asked).toBe(staying);
  await second.has("turn.committed");
  await Promise.all([first.troupe.close(), second.troupe.close()]);
});

it("says of no run that it ended without its process when its turn is on its way to the log (RUN-4)", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const dying = broker.connect();
  const first = createTroupe(dying, { onFault: false });
  const started = Promise.withResolvers<void>();
  first.inspect(({ kind }) => kind === "turn.started" && started.resolve());
  await first.work(clerks(never), { ...settings, id: "first" });
  await first.send(clerks(never), "alice").note("deadly");
  await started.promise;
  dying.crash();
  const connection = broker.connect();
  const [committing, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const second = createTroupe(
    overlay(connection, {
      commit: async (turns) => {
        const [only] = turns;
        if (only !== undefined && decodeJournalRecord(only.record).kind === "turn") {
          committing.resolve();
          await held.promise;
        }
        return connection.commit(turns);
      },
    }),
  );
  const worker = await second.work(
    clerks(async () => undefined),
    { ...settings, id: "second" },
  );
  await committing.promise;
  // No time to wait for the commit: it is stored after the worker gave the agent up.
  await worker.stop({ drainTimeoutMs: 1 });
  held.resolve();
  const kinds = async (): Promise<readonly string[]> => {
    const entries = await broker.connect().journal({ type: "clerk", key: "alice" }, 0);
    return entries.map(({ record }) => decodeJournalRecord(record).kind);
  };
  await vi.waitFor(async () => expect(await kinds()).toContain("turn"));
  await second.close();
  expect(await kinds()).toEqual(["steps", "turn"]);
});
