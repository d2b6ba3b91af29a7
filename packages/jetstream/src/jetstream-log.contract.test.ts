/** The log port's contract on a real server. Every check has a namespace of its own on one server. */
import { connect as dial } from "@nats-io/transport-node";
import { logContract } from "@troupe/core/testing/contract";
import type { LogHarness } from "@troupe/core/testing/contract";
import type { Log } from "@troupe/core";
import { afterAll, beforeAll } from "vitest";

import { connectLog, subjects as subjectsOf } from "./index.ts";
import { startNatsServer, type NatsServer } from "./server/index.ts";

let server: NatsServer;
let namespaces = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

logContract("JetStream", async (): Promise<LogHarness> => {
  const namespace = `contract.n${++namespaces}`;
  const subjects = subjectsOf(namespace);
  const logs: Log[] = [];
  const connect = async (): Promise<Log> => {
    const log = await connectLog({ servers: server.url, namespace, name: "contract" });
    logs.push(log);
    return log;
  };
  const publish = async (subject: string, payload: Uint8Array): Promise<void> => {
    // The stream has to exist before anybody publishes without us.
    await connect();
    const client = await dial({ servers: server.url });
    await client.request(subject, payload);
    await client.close();
  };
  return {
    connect,
    publishForeign: (kind, name, token, payload) =>
      publish(`${namespace}.${kind}.${name}.${token}`, payload),
    publishMisfit: () =>
      publish(`${subjects.namespace}.topic.too.many.tokens`, Buffer.from("misfit")),
    restart: () => server.restart(),
    beginOutage: async () => {
      await server.kill();
      return () => server.restart();
    },
    stop: async () => {
      await Promise.all(logs.map((log) => log.close()));
    },
  };
});
