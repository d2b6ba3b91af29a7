/**
 * Around every handler: some take their time, and no worker begins one that may while as many as it
 * may run are at work (I7). Handlers that ask other agents do not count: they leave their place to
 * these, and take it again without waiting.
 */
import type { IncomingCall, Interceptor } from "@troupe/core";
import { agentName } from "@troupe/core/log";
import type { Chance } from "./chance.ts";
import type { EffectPlace } from "./effect-ledger.ts";
import { effectPlace } from "./effect-ledger.ts";

export interface HandlerPace {
  /** Likelihood that a handler waits before it begins. */
  readonly waits: number;
  readonly waitMsMax: number;
}

export interface HandlerWatchOptions {
  readonly pace: HandlerPace;
  readonly process: Pick<EffectPlace, "clock" | "process">;
  readonly chance: Chance;
  readonly handlersMax: number;
  readonly breach: (what: string) => void;
  /** The message may end the process: true when it does. */
  readonly isFatal: (call: IncomingCall) => boolean;
}

export function handlerPace(chance: Chance): HandlerPace {
  return {
    waits: chance.pick([0, 0, 0.1, 0.5]),
    waitMsMax: chance.magnitude(1, 500),
  };
}

export function handlerWatch(options: HandlerWatchOptions): Interceptor {
  const { breach, chance, handlersMax, pace, process } = options;
  const { clock } = process;
  /** Agents whose handlers are at work and have asked nobody yet. */
  const atWork = new Set<string>();
  /** Handlers that returned at once; each may turn out to wait, and is known after that. */
  const quick = new Set<string>();
  /** Agents that asked: a later run may wait for the same answer, without asking again. */
  const askers = new Set<string>();
  /** A pause whose handler is given up ends, so that no timer is left behind. */
  const pause = (signal: AbortSignal): Promise<void> => {
    const delayMs = chance.next() * pace.waitMsMax;
    return new Promise((resolve) => {
      const cancel = clock.after(delayMs, resolve);
      const end = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
    });
  };
  return {
    receive: (call, handle) => {
      if (options.isFatal(call)) return new Promise(() => undefined);
      const { position: inputPosition } = call.message;
      const place = { ...process, agent: agentName(call.agent), inputPosition };
      const next = (passed: typeof call): unknown => effectPlace.run(place, handle, passed);
      const name = agentName(call.agent);
      const isPaused = chance.happens(pace.waits);
      // A handler that was given up may still be at work when the next one of its agent begins.
      // Those of a batch have one place together.
      const waits = call.message.attempt > 1 && askers.has(name);
      if (atWork.has(name) || call.batch || waits)
        return isPaused ? pause(call.signal).then(() => next(call)) : next(call);
      atWork.add(name);
      let outcome: ReturnType<typeof next> = undefined;
      try {
        outcome = isPaused ? pause(call.signal).then(() => next(call)) : next(call);
      } finally {
        // One that throws at once is over as well.
        if (!(outcome instanceof Promise)) atWork.delete(name);
      }
      const handler = `${call.agent.type}.${call.message.name}`;
      if (!(outcome instanceof Promise)) {
        quick.add(handler);
        return outcome;
      }
      const most = handlersMax + quick.size;
      if (atWork.size > most) breach(`${atWork.size} handlers at work, at most ${most}`);
      // One that is given up leaves its place at once, whatever it still does.
      call.signal.addEventListener("abort", () => atWork.delete(name), { once: true });
      return outcome.finally(() => atWork.delete(name));
    },
    send: (call, next) => {
      const { from, how } = call;
      if (how === "ask" && from !== undefined) {
        atWork.delete(from);
        askers.add(from);
      }
      return next(call);
    },
  };
}
