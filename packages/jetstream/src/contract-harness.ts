/**
 * The contract suites' harness on a real server; many may share one, each in a namespace of its
 * own.
 */
import { connect as dial } from "@nats-io/transport-node";
import type { Log } from "@troupe/core";
import type { LogHarness } from "@troupe/core/testing/contract";

import { connectLog } from "./connect-log.ts";
import type { NatsServer } from "./server/index.ts";

export function contractHarness(server: NatsServer, namespace: string): LogHarness {
  const logs: Log[] = [];
  const connect = async (): Promise<Log> => {
    const log = await connectLog({ servers: server.url, namespace, name: "contract" });
    logs.push(log);
    return log;
  };
  const publish = async (subject: string, payload: Uint8Array): Promise<void> => {
    // The stream has to exist before anybody publishes without us.
    if (logs.length === 0) await connect();
    const client = await dial({ servers: server.url });
    await client.request(subject, payload);
    await client.close();
  };
  return {
    connect,
    publishForeign: (kind, name, token, payload) =>
      publish(`${namespace}.${kind}.${name}.${token}`, payload),
    publishMisfit: () => publish(`${namespace}.topic.too.many.tokens`, Buffer.from("misfit")),
    restart: () => server.restart(),
    beginOutage: async () => {
      await server.kill();
      return () => server.restart();
    },
    stop: async () => {
      await Promise.all(logs.map((log) => log.close()));
    },
  };
}
