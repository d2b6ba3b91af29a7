/** A trace from a foreign publisher through two agents on two processes (W3C trace context). */
import { connect as dial, headers } from "@nats-io/transport-node";
import { startNatsServer, type NatsServer } from "@troupe/jetstream/server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { counterOf, readStream, type RawStream } from "./raw-stream.ts";
import { startTallyWorker } from "./tally/tally-worker-settings.ts";

const namespace = "traced";
const timeout = 5000;
let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server?.stop());

/**
 * Runs two agents on two processes, of which one sends to the other, and returns what they leave on
 * the stream.
 */
async function streamAfter(given: Readonly<Record<string, string>>): Promise<RawStream> {
  const client = await dial({ servers: server.url });
  const common = { url: server.url, namespace } as const;
  await using one = await startTallyWorker({ ...common, id: "one", types: ["tally"] });
  await using two = await startTallyWorker({ ...common, id: "two", types: ["copy"] });
  const carried = headers();
  for (const [name, value] of Object.entries(given)) carried.set(name, value);
  const payload = '{"add":{"n":2,"value":1}}';
  await client.request(`${namespace}.agent.tally.alice`, payload, { headers: carried, timeout });
  const stored = await counterOf(client, namespace);
  await expect.poll(() => stored("*.journal.*.*"), { timeout: 10_000 }).toBe(2);
  await Promise.all([client.close(), one.stop(), two.stop()]);
  return await readStream(server.url, namespace);
}

test("a publisher's trace goes on in the turns of both agents", async () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const tracestate = "vendor=opaque";
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
  const { inputs, turns } = await streamAfter({ traceparent, tracestate });
  expect(turns.map(({ type, record }) => [type, record.worker])).toEqual([
    ["tally", "one"],
    ["copy", "two"],
  ]);
  const spans = turns.map(({ record }) => record.traceparent);
  for (const span of spans) expect(span).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  expect(new Set([traceparent, ...spans]).size, "every turn is a span of its own").toBe(3);

  const sent = inputs.find(({ name }) => name === "copy");
  expect(sent?.headers?.get("traceparent"), "the sent message is below the turn").toBe(spans[0]);
  expect(sent?.headers?.get("tracestate")).toBe(tracestate);
  expect(sent?.headers?.get("Troupe-Sender")).toBe("tally/alice");
});
