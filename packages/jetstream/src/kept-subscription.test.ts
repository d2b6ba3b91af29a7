/** Rights that are taken away for a moment, as while permissions are reloaded. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as dial, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";

import { keepSubscribed } from "./kept-subscription.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let folder: string;
let server: NatsServer;
let listening: NatsConnection;
let publishing: NatsConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-rights-"));
  await allow('subscribe: ">"');
  // The server takes the path of an include as one below its own configuration.
  const included = `${"../".repeat(9)}${usersFile()}`;
  server = await startNatsServer({ extraConfig: [`include ${JSON.stringify(included)}`] });
  listening = await dial({ servers: server.url, user: "listener", pass: "x" });
  publishing = await dial({ servers: server.url, user: "app", pass: "x" });
});
afterAll(async () => {
  await listening?.close();
  await publishing?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const usersFile = (): string => join(folder, "users.conf");

function allow(rights: string): Promise<void> {
  const users = `{ user: app, password: x }, { user: listener, password: x, permissions: { ${rights} } }`;
  return writeFile(usersFile(), `authorization { users: [ ${users} ] }\n`);
}

test("a subscription that the server closed is made again when the right is back", async () => {
  const heard: string[] = [];
  const denied = Promise.withResolvers<void>();
  const kept = keepSubscribed(listening, "news", (error, message) => {
    if (error !== null) denied.resolve();
    else heard.push(message.string());
  });
  await listening.flush();
  const isHeard = async (word: string): Promise<boolean> => {
    publishing.publish("news", word);
    await publishing.flush();
    await listening.flush();
    return heard.includes(word);
  };
  await expect.poll(() => isHeard("before")).toBe(true);

  await allow('subscribe: { deny: "news" }');
  process.kill(server.pid, "SIGHUP");
  await denied.promise;
  expect(await isHeard("meanwhile")).toBe(false);

  await allow('subscribe: ">"');
  process.kill(server.pid, "SIGHUP");
  await expect.poll(() => isHeard("after"), { timeout: 20_000 }).toBe(true);

  kept.unsubscribe();
  expect(await isHeard("ended")).toBe(false);
});
