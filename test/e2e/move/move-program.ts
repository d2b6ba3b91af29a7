/** A process that moves a log, and says how far it is, so that a test can kill it anywhere. */
import { moveLog } from "@troupe/jetstream";

import type { MoveProgramSettings } from "./move-program-settings.ts";

const { from, partitions, shards, to, url } = JSON.parse(
  process.argv[2] ?? "{}",
) as MoveProgramSettings;
const tell = (kind: string, more: object = {}): void => void process.send?.({ kind, ...more });

process.once("disconnect", () => process.exit(0));
tell("ready");
const report = await moveLog({
  servers: url,
  namespace: from,
  to,
  partitions,
  shards,
  onProgress: ({ step }) => tell(step),
});
tell("moved", { report });
process.disconnect();
