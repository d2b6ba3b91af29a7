/** The log port's contract on a real server. Every check has a namespace of its own. */
import { logContract } from "@troupe/contracts";
import { afterAll, beforeAll } from "vitest";

import { contractHarness } from "../fixtures/contract-harness.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let namespaces = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

logContract("JetStream", () =>
  Promise.resolve(contractHarness(server, `contract.n${++namespaces}`)),
);

logContract("JetStream in four shards", () =>
  Promise.resolve(contractHarness(server, `contract.s${++namespaces}`, 4)),
);
