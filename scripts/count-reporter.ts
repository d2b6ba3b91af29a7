/**
 * A vitest reporter for CI: closes the run with one plain line, `N passed, N failed` (and
 * `, N skipped` when any), and fails a run in which no test ran.
 *
 * The counts are vitest's own. A module that fails to load and an error outside of every test have
 * no test case to count, so each counts as one failure: the line must never look green when the run
 * is not.
 *
 * It is written when the process exits, because that is the only moment after every other reporter.
 */
import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = count(modules, unhandledErrors.length);
    process.once("exit", () => {
      if (counts.passed + counts.failed === 0) process.exitCode = 1;
      writeSync(process.stdout.fd, `\n${summaryLine(counts)}\n`);
    });
  }
}

function summaryLine({ passed, failed, skipped }: Counts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}

function count(modules: readonly TestModule[], unhandledErrors: number): Counts {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string): number =>
    tests.filter((test) => test.result().state === state).length;
  const passed = inState("passed");
  const failed = inState("failed");
  const outsideTests = unhandledErrors + modules.reduce((sum, each) => sum + errorsOf(each), 0);
  return { passed, failed: failed + outsideTests, skipped: tests.length - passed - failed };
}

function errorsOf(module: TestModule): number {
  const suites = [...module.children.allSuites()];
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0);
}
