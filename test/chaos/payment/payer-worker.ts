/** A worker process that hosts payers. It stops on SIGTERM, or when its parent is gone. */
import { connect } from "@troupe/jetstream";

import { payerAgent } from "./payer.ts";
import type { PayerWorkerSettings } from "./payer-worker-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as PayerWorkerSettings;
const { id, namespace, serviceUrl, url } = settings;

const troupe = await connect(url, { namespace, name: id });
// Answers of the service get lost, so a payment may take more than a few runs.
await troupe.work(payerAgent(serviceUrl, id), {
  id,
  retry: { attemptsMax: 20, deathsMax: Infinity, delayMsMax: 500 },
});

process.once("SIGTERM", () => {
  void troupe.close().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
