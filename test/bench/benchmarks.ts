/** All benchmarks, in the order of a run. A new one is a file of its own and a line here. */
import { activation } from "./activation.ts";
import { ask } from "./ask.ts";
import { backlog } from "./backlog.ts";
import { batch } from "./batch.ts";
import type { Benchmark } from "./benchmark.ts";
import { chain } from "./chain.ts";
import { collector } from "./collector.ts";
import { cost } from "./cost.ts";
import { effects } from "./effects.ts";
import { failover } from "./failover.ts";
import { fanOut } from "./fan-out.ts";
import { growth } from "./growth.ts";
import { halfLoad } from "./half-load.ts";
import { peers } from "./peers/peers.ts";
import { publish } from "./publish.ts";
import { replay } from "./replay.ts";
import { memory } from "./memory.ts";
import { scaling } from "./scaling.ts";
import { slowHandler } from "./slow-handler.ts";
import { soak } from "./soak.ts";
import { timers } from "./timers.ts";
import { turns } from "./turns.ts";

export const benchmarks: readonly Benchmark[] = [
  // Speed.
  turns,
  cost,
  publish,
  ask,
  effects,
  halfLoad,
  slowHandler,
  fanOut,
  chain,
  batch,
  collector,
  replay,
  scaling,
  // Survival.
  activation,
  timers,
  memory,
  backlog,
  failover,
  // Both, against size and time.
  growth,
  soak,
  // Other systems.
  peers,
];
