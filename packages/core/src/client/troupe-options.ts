/** Options of a client, on whatever log it is. */
import type { ArchiveStore } from "../log/archive/archive-store.ts";
import type { Clock } from "../clock/clock.ts";
import type { Random } from "../clock/random.ts";
import type { FaultListener } from "../engine/inspection/inspection-feed.ts";
import type { Interceptor } from "../engine/turn/interceptor.ts";
import type { OptionRules } from "../definition/option-rules.ts";

export interface TroupeOptions {
  /**
   * Name of this client, shown as the sender of its messages. @default "client-" and a random
   * suffix
   */
  readonly name?: string | undefined;
  readonly interceptors?: readonly Interceptor[];
  /**
   * The caller's current W3C traceparent: the spans that a message leads to hang below that span.
   * @default the turn of every message begins a trace
   */
  readonly traceparent?: () => string | undefined;
  /** The caller's W3C tracestate, which travels with its traceparent. @default none */
  readonly tracestate?: () => string | undefined;
  /**
   * Hears every fault of this process: a journal that cannot be read, a floor that is not saved, a
   * projection that ended. `false` silences them; `inspect` tells them in any case. @default a line
   * each on the error stream, a few of each kind in ten seconds
   */
  readonly onFault?: FaultListener | false | undefined;
  /**
   * Store of what is truncated on the log: replays and projections read archive and log as one, and
   * nothing is truncated that is not there. @default none
   */
  readonly archive?: ArchiveStore | undefined;
  readonly clock?: Clock;
  /** Source of the jitter of back-offs and of ids. @default the system */
  readonly random?: Random;
}

/** Options of `createTroupe`; `connect` takes the same, and more. */
export const troupeOptionRules: OptionRules<TroupeOptions> = Object.freeze({
  name: "other",
  interceptors: "other",
  traceparent: "other",
  tracestate: "other",
  onFault: "other",
  archive: "other",
  clock: "other",
  random: "other",
});
