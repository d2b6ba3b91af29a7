/** Saves that get no answer: half of them are done all the same. */
import { LogUnavailableError } from "@troupe/core/errors";
import type { Log } from "@troupe/core/log";
import type { Chance } from "./chance.ts";
import type { Troubles } from "./faulty-log.ts";
import type { LogMethods } from "./overlay.ts";

const saves = ["bury", "register", "saveFloors", "saveSnapshot", "writeCell"] as const;

export function failingSaves(log: Log, troubles: Troubles, chance: Chance): LogMethods {
  const methods = saves.map((save) => {
    const call = log[save] as (...request: readonly unknown[]) => Promise<unknown>;
    const failing = async (...request: readonly unknown[]): Promise<unknown> => {
      if (troubles.failing.saves === 0) return call.apply(log, [...request]);
      troubles.failing.saves -= 1;
      if (chance.happens(0.5)) await call.apply(log, [...request]);
      throw new LogUnavailableError(`The log gave no answer to ${save}, says the simulation.`);
    };
    return [save, failing] as const;
  });
  return Object.fromEntries(methods);
}
