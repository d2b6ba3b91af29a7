/** The contract suite's harness for the memory log. */
import { setImmediate as nextTurnOfTheLoop } from "node:timers/promises";

import type { LogHarness } from "../log-harness.ts";
import {
  createMemoryBroker,
  type MemoryBrokerOptions,
  type MemoryConnection,
} from "@troupe/testing";

export function memoryHarness(options: MemoryBrokerOptions = {}): LogHarness {
  const broker = createMemoryBroker(options);
  const connections: MemoryConnection[] = [];
  return {
    shards: options.shards ?? 1,
    async connect() {
      const connection = broker.connect();
      connections.push(connection);
      return connection;
    },
    async publishForeign(kind, name, token, payload) {
      broker.publishForeign(kind, name, token, payload);
    },
    async publishUnroutable() {
      broker.publishUnroutable();
    },
    async restart() {
      broker.pause({ calls: "fail" });
      // Long enough for what is on its way to meet the closed door.
      await nextTurnOfTheLoop();
      broker.resume();
    },
    async beginOutage() {
      broker.pause();
      return async () => broker.resume();
    },
    async stop() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}
