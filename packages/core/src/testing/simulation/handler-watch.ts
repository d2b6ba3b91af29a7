/** Around every handler: some take their time, and no worker runs more of them at once than it may (I7). */
import type { Interceptor } from "../../interceptor/interceptor.ts";
import type { VirtualClock } from "./agenda.ts";
import type { Chance } from "./chance.ts";

export interface HandlerPace {
  /** How likely it is that a handler waits before it begins. */
  readonly waits: number;
  readonly waitMsMax: number;
}

export function handlerPace(chance: Chance): HandlerPace {
  return {
    waits: chance.pick([0, 0, 0.1, 0.5]),
    waitMsMax: chance.magnitude(1, 500),
  };
}

export function pacedHandlers(pace: HandlerPace, clock: VirtualClock, chance: Chance): Interceptor {
  return {
    receive: (call, next) => {
      if (!chance.happens(pace.waits)) return next(call);
      const delayMs = chance.next() * pace.waitMsMax;
      return new Promise<void>((resolve) => clock.after(delayMs, resolve)).then(() => next(call));
    },
  };
}
