/** The systems that are simulated, by name. */
import type { FaultKind, System } from "@troupe/testing";

import { backlog } from "./systems/backlog.ts";
import { bankTransfer } from "./systems/bank-transfer.ts";
import { batch } from "./systems/batch.ts";
import { longAsks, parallelBranches } from "./systems/branches.ts";
import { charge } from "./systems/charge.ts";
import { deadly } from "./systems/deadly.ts";
import { erased } from "./systems/erased.ts";
import { fanOut } from "./systems/fan-out.ts";
import { hotKey } from "./systems/hot-key.ts";
import { humanWait } from "./systems/human-wait.ts";
import { impatience } from "./systems/impatience.ts";
import { operated } from "./systems/operated.ts";
import { oversized } from "./systems/oversized.ts";
import { parking } from "./systems/parking.ts";
import { limits } from "./systems/limits.ts";
import { pipelineSystem } from "./systems/pipeline.ts";
import { pools } from "./systems/pools.ts";
import { prefix } from "./systems/prefix.ts";
import { projected } from "./systems/projected.ts";
import { poison } from "./systems/poison.ts";
import { requestMesh } from "./systems/request-mesh.ts";
import { retention } from "./systems/retention.ts";
import { restored } from "./systems/restored.ts";
import { timers } from "./systems/timers.ts";
import { versions } from "./systems/versions.ts";

export const systems: Readonly<Record<string, System>> = {
  "bank-transfer": bankTransfer,
  "request-mesh": requestMesh,
  "fan-out": fanOut,
  "human-wait": humanWait,
  "hot-key": hotKey,
  backlog,
  limits,
  poison,
  pools,
  deadly,
  erased,
  projected,
  charge,
  branches: parallelBranches,
  "long-asks": longAsks,
  pipeline: pipelineSystem,
  batch,
  impatience,
  timers,
  restored,
  retention,
  prefix,
  parking,
  versions,
  oversized,
  operated,
};

/** The command that runs one seed of a system again. */
export function simulateAgain(system: string, seed: number, faults?: readonly FaultKind[]): string {
  const only = faults === undefined ? "" : ` --faults ${faults.join(",")}`;
  return `npm run simulate -- --seeds 1 --from ${seed} --system ${system}${only}`;
}
