/** The parts of a worker that the calls of batch handlers need. */
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../clock/random.ts";
import type { InspectionFeed } from "../inspection/inspection-feed.ts";
import type { Permits } from "../runtime/permits.ts";

export interface BatchHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly feed: InspectionFeed;
  readonly permits: Permits;
}
