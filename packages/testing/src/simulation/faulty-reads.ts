/**
 * Reads that go wrong: some get no answer, and while a replica is behind some are answered by it,
 * but none that asks the log's leader.
 */
import { LogUnavailableError } from "@troupe/core/errors";
import type { Log } from "@troupe/core/log";
import type { ReplicaRead } from "../memory/replica.ts";
import type { Chance } from "./chance.ts";
import type { Troubles } from "./faulty-log.ts";
import type { LogMethods } from "./overlay.ts";

const reads: readonly ReplicaRead[] = [
  "cell",
  "floors",
  "input",
  "inputsOf",
  "journal",
  "manifest",
  "manifests",
  "snapshot",
];

/** Share of the reads that are answered by a replica that is behind. */
const staleShare = 0.5;

export function faultyReads(log: Log, troubles: Troubles, chance: Chance): LogMethods {
  const methods = reads.map((read) => {
    const call = log[read] as (...request: readonly unknown[]) => Promise<unknown>;
    const faulty = async (...request: readonly unknown[]): Promise<unknown> => {
      if (troubles.failing.reads > 0) {
        troubles.failing.reads -= 1;
        throw new LogUnavailableError(`The log gave no answer to ${read}, says the simulation.`);
      }
      const replica = troubles.replica as Readonly<Record<string, typeof call>> | undefined;
      const isStale =
        replica !== undefined && !isFirm(request.at(-1)) && chance.happens(staleShare);
      const answer = await call.apply(log, [...request]);
      return isStale ? replica[read]?.(...request) : answer;
    };
    return [read, faulty] as const;
  });
  return Object.fromEntries(methods);
}

/** Whether the leader has to answer. */
function isFirm(options: unknown): boolean {
  return (
    typeof options === "object" && options !== null && "firm" in options && options.firm === true
  );
}
