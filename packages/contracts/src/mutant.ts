/**
 * A broken log: it breaks one rule of the port, and names the check that must notice.
 *
 * Mutants show that the contract suite can fail. Each wraps a correct log and replaces some of its
 * methods.
 */
import { describe, expect, test } from "vitest";

import type { Log } from "@troupe/core/log";
import { memoryHarness } from "./memory/memory-harness.ts";
import { logChecks } from "./log-checks.ts";
import type { LogHarness } from "./log-harness.ts";

export interface Mutant {
  /** The defect of the mutant. */
  readonly does: string;
  /** The name of the check that must fail. */
  readonly failsAt: string;
  /** The wrong methods of one connection. */
  readonly mutate: (log: Log) => Partial<Log>;
  /** Time its check waits for something that never comes, in milliseconds. @default 250 */
  readonly patienceMs?: number;
}

/** Declares one test per mutant: its check must fail. */
export function noticesMutants(mutants: readonly Mutant[]): void {
  describe("the log contract notices a log that", () => {
    test.concurrent.for(mutants)("$does", async (mutant) => {
      const check = logChecks.find(({ name }) => name === mutant.failsAt);
      expect(check, `the check "${mutant.failsAt}"`).toBeDefined();
      const harness = memoryHarness();
      const outcome = await check?.run(mutantHarness(harness, mutant)).then(
        () => "nothing noticed",
        () => "noticed",
      );
      await harness.stop();
      expect(outcome).toBe("noticed");
    });
  });
}

/**
 * The mutant's methods in every connection. It has little patience, because what is missing never
 * comes.
 */
function mutantHarness(harness: LogHarness, mutant: Mutant): LogHarness {
  return {
    ...harness,
    patienceMs: mutant.patienceMs ?? 250,
    connect: async () => mutated(await harness.connect(), mutant),
  };
}

function mutated(log: Log, mutant: Mutant): Log {
  const wrong = mutant.mutate(log);
  return new Proxy(log, {
    get(_, name) {
      const value: unknown = Reflect.get(wrong, name) ?? Reflect.get(log, name, log);
      // Bound to the log itself, because a proxy has none of its private fields.
      return typeof value === "function" ? value.bind(log) : value;
    },
  });
}
