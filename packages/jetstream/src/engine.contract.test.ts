/** The engine's contract on a real server. Every check has a namespace of its own on one server. */
import { engineContract } from "@troupe/contracts";
import { afterAll, beforeAll } from "vitest";

import { contractHarness } from "../fixtures/contract-harness.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let namespaces = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

engineContract("JetStream", async () => contractHarness(server, `engine.n${++namespaces}`));

/** Of what goes from one agent to another; the log in memory shows all of it in four shards. */
const between =
  /\b(?:asks?|asked|answers?|sends?|sent|publications?|topics?|timers?|job|erased?)\b/;

engineContract(
  "JetStream in four shards",
  async () => contractHarness(server, `engine.s${++namespaces}`, 4),
  between,
);
