/**
 * The subscribers of a topic in pools: each worker hosts some of them, comes back with others, and
 * reads what is for its own. Whoever hosts what and when, every subscriber sees every publication
 * once, in the order of the log.
 */
import type { System } from "@troupe/testing";

import { fanOut, recorder, siren, watchman } from "./fan-out.ts";

export const pools: System = {
  ...fanOut,
  name: "pools",
  earlier: [[recorder], [watchman, siren], [siren, recorder], [watchman]],
  faults: { deploy: 12 },
};
