/** Counters that keep ten turns. */
import { agent } from "@troupe/core";
import { z } from "zod";

export const counter = agent("counter")
  .retention({ turns: 10 })
  .state({ count: 0 })
  .event("counted", z.number(), ({ count }, by) => ({ count: count + by }))
  .on("count", z.number(), (ctx, by) => {
    ctx.emit.counted(by);
    return ctx.state.count;
  });

/** Point at which a worker stands still, in the middle of removing something. */
export type HoldAt = "base is stored" | "records are gone" | "a slice is gone" | "never";

export interface RetentionProgramSettings {
  readonly url: string;
  readonly namespace: string;
  readonly holdAt: HoldAt;
}
