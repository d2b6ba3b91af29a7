/**
 * Keys that are behind all the time: the hot keys of one partition, each with room for a single
 * waiting message, so that nearly everything is read back from the log, through every fault.
 */
import type { System } from "@troupe/testing";

import { hotKey } from "./hot-key.ts";

export const backlog: System = {
  ...hotKey,
  name: "backlog",
  partitions: 1,
  settings: { windowMax: 8, keyWindowMax: 1 },
};
