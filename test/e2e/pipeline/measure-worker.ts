/**
 * A worker process that hosts a pipeline, and is stuck for ever when it has run one of its stages a
 * few times.
 */
import { connect } from "@troupe/jetstream";

import { measurePipeline } from "./measure.ts";
import type { MeasureWorkerSettings } from "./measure-worker-settings.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as MeasureWorkerSettings;
const { id, namespace, stuckAt, url } = settings;
let runs = 0;

const measure = measurePipeline(async (stage) => {
  if (stage !== stuckAt || ++runs <= 2) return;
  process.send?.({ kind: "stuck" });
  await Promise.withResolvers<void>().promise;
});
const troupe = await connect(url, { namespace, name: id });
await troupe.work(measure, { id });
process.once("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
