/** A stranger makes the server write into a journal; the agent goes on. */
import { agent } from "@troupe/core";
import { connect as connectClient } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { connect } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

const counter = agent("counter")
  .state({ count: 0 })
  .event("counted", z.object({}), ({ count }) => ({ count: count + 1 }))
  .on("count", z.object({}), (context) => {
    context.emit.counted({});
    return context.state.count;
  });

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer({
    extraConfig: [
      "authorization { users: [",
      "  { user: worker, password: secret }",
      "  { user: stranger, password: secret, permissions: {",
      '      publish: ["troupe.agent.counter.>"], subscribe: ["_INBOX.>"] } }',
      "] }",
    ],
  });
});
afterAll(() => server.stop());

test("an acknowledgement that a stranger sent into a journal changes nothing", async () => {
  const user = { servers: server.url, user: "worker", pass: "secret" };
  const faults: string[] = [];
  const onFault = ({ failure }: { readonly failure: { readonly message: string } }): void => {
    faults.push(failure.message);
  };
  await using troupe = await connect({ ...user, onFault });
  const first = await troupe.work(counter);
  const alice = troupe.agent(counter, "alice");
  expect(await alice.count({})).toBe(1);

  const stranger = await connectClient({ ...user, user: "stranger" });
  const reply = troupe.log.namespace + ".7.journal.counter.alice";
  stranger.publish("troupe.agent.counter.alice", '{"count":{}}', { reply });
  await stranger.drain();
  const turns = async (): Promise<readonly number[]> => {
    const numbers: number[] = [];
    for await (const { record } of troupe.replay(counter, "alice")) numbers.push(record.turn);
    return numbers;
  };
  // The agent is in memory, and meets it when it commits the turn of the stranger's message.
  await expect.poll(turns, { timeout: 10_000 }).toEqual([1, 2]);
  expect(await alice.count({})).toBe(3);
  expect(faults.filter((text) => text.includes("acknowledgement of the server"))).toHaveLength(1);

  // A new worker meets it when it activates the agent, and so does whoever replays.
  await first.stop();
  await troupe.work(counter);
  expect(await alice.count({})).toBe(4);
  expect(await turns()).toEqual([1, 2, 3, 4]);
});
