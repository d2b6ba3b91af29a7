/**
 * All benchmarks, in the order of a run. A new one is a file of its own and a line here; the peers
 * will join as `...peers` from `peers/`.
 */
import { activation } from "./activation.ts";
import { ask } from "./ask.ts";
import { backlog } from "./backlog.ts";
import type { Benchmark } from "./benchmark.ts";
import { cost } from "./cost.ts";
import { failover } from "./failover.ts";
import { publish } from "./publish.ts";
import { residents } from "./residents.ts";
import { timers } from "./timers.ts";
import { turns } from "./turns.ts";

export const benchmarks: readonly Benchmark[] = [
  turns,
  cost,
  publish,
  ask,
  activation,
  timers,
  residents,
  backlog,
  failover,
];
