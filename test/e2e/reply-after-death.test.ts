/** A reply survives the worker that computed it (I4). */
import { agentNamed } from "@troupe/core";
import { connect } from "@troupe/jetstream";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { checkStream, nothing } from "./tally/tally-check.ts";
import { startTallyWorker } from "./tally/tally-worker-settings.ts";
import { tallyAgent } from "./tally/tally.ts";
import { readStream } from "./raw-stream.ts";

const tally = tallyAgent();
const ask = { n: 1, value: 5 } as const;
/** An odd number: nothing is sent, so all is done when it is answered. */
const next = { n: 3, value: 6 } as const;
let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server?.stop());

const mute = (namespace: string): Parameters<typeof startTallyWorker>[0] => ({
  id: "mute",
  url: server.url,
  namespace,
  fault: "no replies",
});

test("the asker finds the recorded reply when nobody is left to send it", async () => {
  const namespace = "alone";
  await using worker = await startTallyWorker(mute(namespace));
  await using troupe = await connect(server.url, { namespace });
  const answer = troupe.agent(tally, "alice").add(ask);
  await worker.said("reply dropped");
  await worker.kill();
  expect(await answer).toBe(1);
  const stream = await readStream(server.url, namespace);
  expect(stream.turns.map(({ record }) => [record.worker, record.reply])).toEqual([["mute", 1]]);
});

test("the successor recognises the ask, runs nothing and replies again", async () => {
  const namespace = "succeeded";
  await using worker = await startTallyWorker(mute(namespace));
  await using troupe = await connect(server.url, { namespace });
  const answer = troupe.agent(tally, "alice").add(ask);
  await worker.said("reply dropped");
  await worker.kill();
  const timings = { deadAfterMs: 300, heartbeatMs: 50 };
  const successor = { id: "successor", url: server.url, namespace, options: { timings } };
  await using second = await startTallyWorker(successor);
  expect(await answer).toBe(1);
  await second.said("replied again");

  expect(await troupe.agent(tally, "alice").add(next)).toBe(2);
  await second.stop();
  const published = new Map([["alice", [ask, next]]]);
  const stream = await readStream(server.url, namespace);
  expect(checkStream(published, stream)).toEqual(nothing);
  const turns = stream.turns.filter(({ type }) => type === "tally");
  expect(turns.map(({ record }) => record.worker)).toEqual(["mute", "successor"]);
});

test("a failure that was recorded is found as well", async () => {
  const namespace = "refused";
  await using worker = await startTallyWorker(mute(namespace));
  await using troupe = await connect(server.url, { namespace });
  const untyped = troupe.agent(agentNamed("tally"), "alice");
  const answer = untyped["add"]?.({ n: "one" }).catch((thrown: unknown) => thrown);
  await worker.said("reply dropped");
  await worker.kill();
  expect(await answer).toMatchObject({ code: "schema" });
  const { deadLetters } = await readStream(server.url, namespace);
  expect(deadLetters).toHaveLength(1);
});

test("every ask in flight is answered when one of two workers dies", async () => {
  const namespace = "in-flight";
  const common = { url: server.url, namespace, pausing: true } as const;
  await using staying = await startTallyWorker({ ...common, id: "staying" });
  await using dying = await startTallyWorker({ ...common, id: "dying" });
  await using troupe = await connect(server.url, { namespace });
  const halfway = Promise.withResolvers<void>();
  let answers = 0;
  const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
  const numbers = Array.from({ length: 10 }, (_, i) => 2 * i + 1);
  const asking = keys.map(async (key) => {
    const counts: number[] = [];
    for (const n of numbers) {
      counts.push(await troupe.agent(tally, key).add({ n, value: n }));
      if (++answers === (keys.length * numbers.length) / 2) halfway.resolve();
    }
    return counts;
  });
  await halfway.promise;
  await dying.kill();
  const inOrder = numbers.map((_, i) => i + 1);
  expect(await Promise.all(asking)).toEqual(keys.map(() => inOrder));
  await staying.stop();

  const sent = numbers.map((n) => ({ n, value: n }));
  const stream = await readStream(server.url, namespace);
  expect(checkStream(new Map(keys.map((key) => [key, sent])), stream)).toEqual(nothing);
  const workers = new Set(stream.turns.map(({ record }) => record.worker));
  expect(workers).toEqual(new Set(["staying", "dying"]));
});
