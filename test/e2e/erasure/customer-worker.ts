/** A process that hosts customers. */
import { directoryStore } from "@troupe/core/archive";
import { connect } from "@troupe/jetstream";

import { customer } from "./customer.ts";
import type { CustomerWorkerSettings } from "./customer-worker-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as CustomerWorkerSettings;
const { archive, id, namespace, url } = settings;
const tell = (kind: string, more: object = {}): void => void process.send?.({ kind, ...more });

const troupe = await connect(url, {
  namespace,
  name: id,
  archive: directoryStore(archive),
  onFault: false,
});
const worker = await troupe.work(customer, {
  id,
  snapshotTurns: 5,
  retry: { attemptsMax: 1 },
  timings: { deadAfterMs: 2000, heartbeatMs: 200 },
});

process.on("message", (question) => {
  if (question === "holdings") tell("answer holdings", { answer: worker.holdings });
});
process.once("SIGTERM", () => void troupe.close().then(() => process.exit(0)));
process.once("disconnect", () => process.exit(0));
tell("ready");
