/** Floors of the partitions of a worker that gives turns back. */
import { expect, it } from "vitest";
import { z } from "zod";

import type { InspectionEvent, Troupe, Worker } from "@troupe/core";
import type { Log } from "@troupe/core/log";
import { agent, createTroupe } from "@troupe/core";
import { createMemoryBroker, overlay } from "@troupe/testing";

const settings = {
  timings: { joinDelayMs: 0, heartbeatMs: 20, deadAfterMs: 200 },
  retry: { attemptsMax: 9 },
} as const;
const clerks = (run: () => unknown) => agent("clerk").on("note", z.string(), async () => run());
const never = (): Promise<never> => Promise.withResolvers<never>().promise;

interface Hosted {
  readonly troupe: Troupe;
  readonly worker: Worker;
  readonly started: Promise<void>;
}

async function host(log: Log, id: string, run: () => unknown): Promise<Hosted> {
  const started = Promise.withResolvers<void>();
  const troupe = createTroupe(log, { onFault: false });
  troupe.inspect(({ kind }: InspectionEvent) => {
    if (kind === "turn.started") started.resolve();
  });
  const worker = await troupe.work(clerks(run), { ...settings, id });
  return { troupe, worker, started: started.promise };
}

it("waits until they are stored, also when it had no time for its turns (STOP-1)", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const connection = broker.connect();
  const order: string[] = [];
  const log = overlay(connection, {
    saveFloors: async (floors) => {
      const isRelease = floors.some(({ holder, type }) => type === "clerk" && holder === undefined);
      // As with a real log, the answer takes many turns of the loop.
      const turns = isRelease ? 20 : 0;
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await connection.saveFloors(floors);
      if (isRelease) order.push("released");
    },
  });
  const { started, troupe, worker } = await host(log, "first", never);
  await troupe.send(clerks(never), "key").note("stuck");
  await started;
  await worker.stop({ drainTimeoutMs: 0 });
  order.push("stopped");
  expect(order).toEqual(["released", "stopped"]);
  await troupe.close();
});

it("hands on that its messages may have ended a process, until they are handled", async () => {
  const broker = createMemoryBroker({ partitions: 1 });
  const suspected = async (): Promise<boolean | undefined> => {
    const floors = await broker.connect().floors();
    return floors.find(({ type }) => type === "clerk")?.suspected;
  };
  await using client = createTroupe(broker.connect());
  const connection = broker.connect();
  const dying = await host(connection, "first", never);
  await client.send(clerks(never), "key").note("suspect");
  await dying.started;
  connection.crash();
  const second = await host(broker.connect(), "second", never);
  await second.started;
  await second.worker.stop({ drainTimeoutMs: 0 });
  expect(await suspected()).toBe(true);
  const third = await host(broker.connect(), "third", () => "done");
  // The second one lies behind the record that bounds the suspicion.
  for (const note of ["after it", "and behind"]) {
    expect(await client.agent(clerks(never), "key").note(note)).toBe("done");
  }
  await third.worker.stop();
  expect(await suspected()).toBe(undefined);
  await Promise.all([second.troupe.close(), third.troupe.close()]);
});
