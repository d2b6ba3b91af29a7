/**
 * Around every handler: some take their time, and no worker begins one while as many as it may run are at work (I7).
 * Handlers that wait for other agents do not count.
 */
import type { Interceptor } from "../../interceptor/interceptor.ts";
import { agentName } from "../../log/address.ts";
import type { VirtualClock } from "./agenda.ts";
import type { Chance } from "./chance.ts";

export interface HandlerPace {
  /** How likely it is that a handler waits before it begins. */
  readonly waits: number;
  readonly waitMsMax: number;
}

export interface HandlerWatchOptions {
  readonly pace: HandlerPace;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly handlersMax: number;
  readonly breach: (what: string) => void;
}

export function handlerPace(chance: Chance): HandlerPace {
  return {
    waits: chance.pick([0, 0, 0.1, 0.5]),
    waitMsMax: chance.magnitude(1, 500),
  };
}

export function handlerWatch(options: HandlerWatchOptions): Interceptor {
  const { breach, chance, clock, handlersMax, pace } = options;
  /** Agents whose handlers are at work, with the number of their open asks. */
  const atWork = new Map<string, number>();
  const busy = (): number => [...atWork.values()].filter((asks) => asks === 0).length;
  const ask = (agent: string, by: number): void => {
    const asks = atWork.get(agent);
    if (asks !== undefined) atWork.set(agent, asks + by);
  };
  const pause = async (): Promise<void> => {
    const delayMs = chance.next() * pace.waitMsMax;
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
  };
  return {
    receive: (call, next) => {
      const name = agentName(call.agent);
      const isPaused = chance.happens(pace.waits);
      // A handler that was given up may still be at work when the next one of its agent begins.
      if (atWork.has(name)) return isPaused ? pause().then(() => next(call)) : next(call);
      atWork.set(name, 0);
      if (busy() > handlersMax) breach(`${busy()} handlers at work, at most ${handlersMax}`);
      const outcome = isPaused ? pause().then(() => next(call)) : next(call);
      if (!(outcome instanceof Promise)) {
        atWork.delete(name);
        return outcome;
      }
      return outcome.finally(() => atWork.delete(name));
    },
    send: (call, next) => {
      const { from, how } = call;
      if (how !== "ask" || from === undefined) return next(call);
      ask(from, 1);
      return (next(call) as Promise<unknown>).finally(() => ask(from, -1));
    },
  };
}
