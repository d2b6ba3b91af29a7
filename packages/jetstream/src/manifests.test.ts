/** A manifest stays the same when it is read and written again. */
import { afterAll, beforeAll, expect, test } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

test("the beginnings of subscriptions are read as they were written, also after a restart", async () => {
  const names = { messages: ["note"], topics: ["papers"], events: ["noted"], version: "1" };
  const since = { papers: { position: 7, atMs: 1234 } };
  const log = await connectLog({ servers: server.url });
  await log.register({ type: "clerk", ...names, since });
  await log.close();
  const later = await connectLog({ servers: server.url });
  expect((await later.manifest("clerk"))?.since).toEqual(since);
  const again = await later.register({ type: "clerk", ...names, version: "2" });
  expect(again).toMatchObject({ version: "2", since });
  expect((await later.manifest("clerk"))?.since).toEqual(since);
  await later.close();
});
