/**
 * A vitest reporter for CI: closes the run with one plain line, `N passed, N failed` (and `, N
 * skipped` when any).
 *
 * The counts are vitest's own. A module that fails to load and an error outside of every test have
 * no test case to count, so each counts as one failure: the line must never look green when the run
 * is not.
 *
 * It is written when the process exits, because that is the only moment after every other reporter.
 */
import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function summaryLine({ passed, failed, skipped }: Counts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const line = summaryLine(count(modules, unhandledErrors.length));
    process.once("exit", () => writeSync(process.stdout.fd, `\n${line}\n`));
  }
}

function count(modules: readonly TestModule[], unhandledErrors: number): Counts {
  let passed = 0;
  let failed = unhandledErrors;
  let skipped = 0;
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") passed += 1;
      else if (state === "failed") failed += 1;
      else skipped += 1;
    }
  }
  return { passed, failed, skipped };
}
