/** Reads leave nothing behind on the server. */
import { expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer } from "./server/index.ts";

interface Connections {
  readonly connections: readonly { readonly name: string; readonly subscriptions: number }[];
}

test("a thousand reads leave no subscription behind", async () => {
  await using server = await startNatsServer();
  const log = await connectLog({ servers: server.url, name: "reads" });
  const agent = { type: "account", key: "alice" };
  const subscriptions = async (): Promise<number | undefined> => {
    const answer = await fetch(`${server.monitoringUrl}/connz`);
    const { connections } = (await answer.json()) as Connections;
    return connections.find(({ name }) => name === "reads")?.subscriptions;
  };
  await log.commit([{ agent, expectedRevision: 0, record: Buffer.from("one"), outgoing: [] }]);
  const before = await subscriptions();
  for (let i = 0; i < 1000; i++) expect(await log.journal(agent, 0)).toHaveLength(1);
  await log.manifests();
  await log.input(1);
  expect(await subscriptions()).toBe(before);
  await log.close();
});
