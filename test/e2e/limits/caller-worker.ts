/** A process that hosts the caller. */
import { connect } from "@troupe/jetstream";

import { callerOf, type CallerSettings } from "./caller.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as CallerSettings;
const troupe = await connect(settings.nats, { namespace: settings.namespace });
await troupe.work(callerOf(settings), { limitLeaseMs: settings.limitLeaseMs });

process.once("SIGTERM", () => void troupe.close().then(() => process.exit(0)));
process.once("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
