/** A worker process dies in mid-flight, and nobody can tell from the result. */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import type { Troupe } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { counterOf, readStream } from "./raw-stream.ts";
import { adds, publishAdds } from "./tally/publish-adds.ts";
import { checkStream, nothing, tallyOf, type Published } from "./tally/tally-check.ts";
import {
  accountOf,
  startTallyWorker,
  type TallyWorkerSettings,
} from "./tally/tally-worker-settings.ts";
import { copyAgent, isCopied, tallyAgent } from "./tally/tally.ts";

vi.setConfig({ testTimeout: 90_000 });

let server: NatsServer;
let client: NatsConnection;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url, noAsyncTraces: true });
});
afterAll(async () => {
  await client?.close();
  await server?.stop();
});

test("of 8 000 messages over 200 keys none is lost, doubled or out of order", async () => {
  const namespace = "killed";
  const published = adds({ messages: 8000, keys: 200 });
  const total = 8000;
  await using first = await startTallyWorker(settingsOf(namespace, "first"));
  await using second = await startTallyWorker(settingsOf(namespace, "second"));
  const stored = await counterOf(client, namespace);

  const publishing = publishAdds(client, namespace, published);
  await expect.poll(() => stored("*.journal.tally.*"), patience).toBeGreaterThan(0.3 * total);
  await Promise.all([second.kill(), publishing]);

  // What we ask must come after what a foreign client sent.
  await expect.poll(() => stored("*.in.agent.tally.*"), patience).toBe(total);
  await using troupe = await connect(server.url, { namespace });
  expect(await statesOf(troupe, published)).toEqual(expectedStates(published));
  // Journals also hold what is no turn.
  const copies = (): Promise<number> => stored("*.journal.copy.*");
  await expect.poll(copies, patience).toBeGreaterThanOrEqual(total / 2);
  expect(await copiesOf(troupe, published)).toEqual(expectedCopies(published));

  const stream = await readStream(server.url, namespace);
  expect(checkStream(published, stream)).toEqual(nothing);
  const lastOfSecond = stream.turns.findLastIndex(({ record }) => record.worker === "second");
  expect(lastOfSecond / stream.turns.length, "it died in the middle").toBeGreaterThan(0.02);
  expect(lastOfSecond / stream.turns.length, "it died in the middle").toBeLessThan(0.98);
  const { counts } = await accountOf(first);
  expect(counts["turn.duplicate"], "the survivor met what the dead one had done").toBeGreaterThan(
    0,
  );
});

test("without duplicate recognition the same check fails", async () => {
  const namespace = "amnesiac";
  const published = adds({ messages: 2000, keys: 50 });
  const options = { floorIntervalMs: 600_000 };
  const fault = { fault: "amnesia", options } as const;
  await using first = await startTallyWorker({ ...settingsOf(namespace, "first"), ...fault });
  await using second = await startTallyWorker({ ...settingsOf(namespace, "second"), ...fault });
  const stored = await counterOf(client, namespace);

  await publishAdds(client, namespace, published, { to: 20 });
  await expect.poll(() => stored("*.journal.tally.*"), patience).toBe(1000);
  await second.kill();
  await publishAdds(client, namespace, published, { from: 21 });
  await expect.poll(async () => (await accountOf(first)).holdings.length, patience).toBe(32);
  const check = async (): Promise<string[]> =>
    checkStream(published, await readStream(server.url, namespace)).lost;
  await expect.poll(check, { ...patience, interval: 250 }).toEqual([]);

  const findings = checkStream(published, await readStream(server.url, namespace));
  expect(findings.duplicates.length).toBeGreaterThan(0);
  expect(findings.wrong.length).toBeGreaterThan(0);
  await using troupe = await connect(server.url, { namespace });
  expect(await statesOf(troupe, published)).not.toEqual(expectedStates(published));
});

const patience = { timeout: 60_000, interval: 20 } as const;

function settingsOf(namespace: string, id: string): TallyWorkerSettings {
  return { id, namespace, url: server.url };
}

/** Asks every tally for its state. Each answer comes after everything sent before it. */
function statesOf(troupe: Troupe, published: Published): Promise<unknown[]> {
  const tally = tallyAgent();
  return Promise.all(
    [...published.keys()].map((key) => troupe.agent(tally, key, asking).report({})),
  );
}

function copiesOf(troupe: Troupe, published: Published): Promise<unknown[]> {
  return Promise.all(
    [...published.keys()].map((key) => troupe.agent(copyAgent, key, asking).report({})),
  );
}

const asking = { timeoutMs: 60_000 } as const;

function expectedStates(published: Published): unknown[] {
  return [...published.values()].map(tallyOf);
}

function expectedCopies(published: Published): unknown[] {
  return [...published.values()].map((list) => {
    const numbers = list.filter(isCopied).map(({ n }) => n);
    return { count: numbers.length, numbers };
  });
}
