/**
 * Options of connections and servers that are not usable are refused by name, before anything is
 * dialled, made or started: a stream with 1.5 partitions would spoil its namespace for ever.
 */
import { describe, expect, it } from "vitest";

import { connect, connectLog } from "./index.ts";
import { startNatsCluster, startNatsServer } from "./server/index.ts";

/** A port without a listener; the client that dials does not come back with a definition error. */
const servers = "nats://127.0.0.1:1";

const connectNumbers = [
  "partitions",
  "replicas",
  "startTimeoutMs",
  "commitTimeoutMs",
  "acceptTimeoutMs",
  "acceptsMax",
  "acceptsWaitingMax",
  "readerHeartbeatMs",
] as const;
const serverNumbers = ["port", "maxPayloadBytes", "startTimeoutMs", "stopTimeoutMs"] as const;

const uses: readonly (readonly [string, (value: never) => Promise<unknown>])[] = [
  ...connectNumbers.map(
    (name) =>
      [`Connect option ${name}`, (value: never) => connect({ servers, [name]: value })] as const,
  ),
  ...connectNumbers.map(
    (name) =>
      [`Connect option ${name}`, (value: never) => connectLog({ servers, [name]: value })] as const,
  ),
  ...serverNumbers.map(
    (name) =>
      [`Server option ${name}`, (value: never) => startNatsServer({ [name]: value })] as const,
  ),
  [
    "Server option cluster.port",
    (port: never) => startNatsServer({ cluster: { name: "c", port } }),
  ],
  ["Cluster option size", (size: never) => startNatsCluster({ size })],
];

describe("options of connections and servers", () => {
  it.each(uses)("are refused when they are no usable number: %s", async (name, use) => {
    for (const value of [Number.NaN, -3, -Infinity, "5", null]) {
      await expect(use(value as never)).rejects.toThrow(
        expect.objectContaining({
          code: "definition",
          message: expect.stringContaining(`${name} is ${value}; it must be `),
        }),
      );
    }
  });

  it.each([
    ["partitions", 0],
    ["partitions", 1.5],
    ["partitions", 1025],
    ["replicas", 6],
    ["acceptsMax", 0.5],
  ])("are refused out of their bounds: %s %s", async (name, value) => {
    await expect(connect({ servers, [name]: value })).rejects.toThrow(
      `Connect option ${name} is ${value}; it must be a whole number`,
    );
  });

  it("are refused when nothing reads them", async () => {
    const slip = { partition: 4 } as object;
    const why = "partition does not exist; there are: ";
    await expect(connect(servers, slip)).rejects.toThrow(`Connect option ${why}`);
    await expect(connectLog({ servers, ...slip })).rejects.toThrow(`Connect option ${why}`);
    await expect(startNatsServer(slip)).rejects.toThrow(`Server option ${why}`);
    await expect(startNatsCluster(slip)).rejects.toThrow(`Cluster option ${why}`);
  });
});
