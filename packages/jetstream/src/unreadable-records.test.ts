/** A record of the control stream that nobody can read costs itself and one fault (I14). */
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import type { Log } from "@troupe/core/log";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let client: NatsConnection;
let log: Log;
let namespace: string;
let faults: string[];
let lastNamespace = 0;

beforeAll(async () => {
  server = await startNatsServer();
  client = await dial({ servers: server.url });
});
afterAll(async () => {
  await log.close();
  await client.close();
  await server.stop();
});
beforeEach(async () => {
  await log?.close();
  namespace = `records-${++lastNamespace}`;
  log = await connectLog({ servers: server.url, namespace });
  faults = [];
  log.onFault((what, thrown) => faults.push(`${what}: ${String(thrown)}`));
});

async function write(subject: string, value: string): Promise<void> {
  await client.request(`${namespace}.control.${subject}`, value);
}

const odd = ["garbage", "", "null", "[]", "7", '{"type":7}', "\u0000\uffff", "[[[[[[[["];

test("a floor that is none is left out, told once, and worked from the beginning", async () => {
  const good = { type: "account", partition: 1, position: 7 };
  await log.saveFloors([good, { type: "~unroutable", partition: "unroutable", position: 3 }]);
  for (const [index, value] of odd.entries()) await write(`floor.account.${100 + index}`, value);
  const elsewhere = { type: "account", partition: 1, position: 1_000_000 };
  await write("floor.account.2", JSON.stringify(elsewhere));
  await write("floor.account.3", JSON.stringify({ ...good, partition: 3, position: -1 }));
  await write("floor.account.4", JSON.stringify({ ...good, partition: 4, position: "9" }));
  const floors = await log.floors();
  expect(floors).toHaveLength(2);
  expect(floors).toContainEqual(good);
  await log.floors();
  expect(faults).toHaveLength(odd.length + 3);
  expect(faults[0]).toMatch(/reading a floor: .* cannot be read and is left out.*nats stream rmm/);
});

test("a manifest that is none is left out, and written anew by the next worker", async () => {
  const good = { type: "account", messages: ["a"], topics: [], events: [], version: "1" };
  await log.register(good);
  for (const [index, value] of odd.entries()) await write(`manifest.bad-${index}`, value);
  expect(await log.manifests()).toEqual([good]);
  expect(faults).toHaveLength(odd.length);
  expect(await log.manifest("bad-0")).toBeUndefined();
  await log.register({ ...good, type: "bad-0" });
  expect(await log.manifest("bad-0")).toMatchObject({ type: "bad-0", messages: ["a"] });
});

test("announcements, cancellations and cells of an odd form are heard by nobody", async () => {
  const heard: unknown[] = [];
  log.onPresence((presence) => heard.push(presence));
  log.onAskCancelled((replyTo) => heard.push(replyTo));
  log.onCell("tokens", (revision) => heard.push(revision));
  await log.flush();
  const holds = ['{"a":5}', '{"a":[null]}', '{"a":["1"]}', "[]", "3"];
  const presences = holds.map((value) => `{"worker":"w","holds":${value}}`);
  for (const value of [...odd, ...presences.slice(0, 3), presences[4] ?? ""]) {
    client.publish(`${namespace}.presence`, value);
    client.publish(`${namespace}.cell.tokens`, `x${value}`);
  }
  client.publish(`${namespace}.cancelled`, "x".repeat(100_000));
  client.publish(`${namespace}.cancelled`, "the last one");
  await client.flush();
  await expect.poll(() => heard).toEqual(["the last one"]);
});
