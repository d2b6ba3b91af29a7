/** A worker process that hosts the ring; it ends with its parent. */
import { connect } from "@troupe/jetstream";

import { echo, ringAgent } from "./ring.ts";
import type { RingWorkerSettings } from "./ring-worker-settings.ts";

const { id, namespace, url } = JSON.parse(process.argv[2] ?? "{}") as RingWorkerSettings;

const troupe = await connect({ servers: url, namespace, name: id, startTimeoutMs: 60_000 });
await troupe.work([ringAgent, echo], { id });
process.once("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
