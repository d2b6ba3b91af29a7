/** Changes of the streams while a log is read are told, and again when they return. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as dial, nanos } from "@nats-io/transport-node";
import { expect, onTestFinished, test, vi } from "vitest";

import { connectLog } from "./index.ts";
import { startNatsServer } from "./server/index.ts";

const patience = { timeout: 20_000 };

test("limits that are set later and a stream that is removed are told by name", async () => {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  const log = await connectLog({ servers: server.url, namespace: "t", readerHeartbeatMs: 50 });
  onTestFinished(() => log.close());
  const told: string[] = [];
  log.onFault((_, thrown) => told.push(String(thrown)));
  log.read({ source: 0, after: 0, credit: 10, onInput: () => undefined });
  const nats = await dial({ servers: server.url });
  onTestFinished(() => nats.close());
  const { streams } = await jetstreamManager(nats);
  const isTold = async (count: number, what: RegExp): Promise<void> => {
    await vi.waitFor(() => {
      expect(told.filter((each) => what.test(each))).toHaveLength(count);
    }, patience);
  };

  await streams.update("t-0", { max_age: nanos(300_000) });
  await isTold(1, /t-0 .*limit of age/);
  await streams.update("t-0", { max_age: 0, max_msgs: 10 });
  await isTold(1, /t-0 .*limit of messages or bytes/);
  await streams.update("t-0", { max_msgs: -1 });
  await streams.update("t-control", { max_bytes: 1_000_000 });
  await isTold(1, /t-control .*drops floors/);
  await streams.update("t-control", { max_bytes: -1 });
  await streams.update("t-0", { max_msgs_per_subject: 5 });
  await isTold(2, /t-0 .*limit of age or of messages per subject/);
  await streams.delete("t-control");
  await isTold(1, /t-control is gone/);
});
