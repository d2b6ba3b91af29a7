/**
 * Settings of one run for all tests of the repository: beside the sources, in the examples and in
 * `test/`.
 *
 * Workspace packages resolve to their sources through the `troupe-source` export condition, so no
 * test depends on a build. The condition is set twice: for modules that Vite loads, and for what
 * Node loads on its own (workers, child processes started with this process's options).
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

const source = "troupe-source";

export default defineConfig({
  resolve: { conditions: [source, "module", "node", "development|production"] },
  ssr: { resolve: { conditions: [source, "node", "development|production"] } },
  test: {
    include: ["packages/*/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    // Files of one process share what they have loaded; none replaces a module.
    isolate: false,
    // A quarter of the tests' time is waiting for servers and processes: three files fill two
    // cores.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // The checks of a contract suite wait for timings, each in a namespace of its own.
    maxConcurrency: 4,
    // Processes that tests start load their modules in half the time once others have loaded them.
    env: {
      NODE_COMPILE_CACHE: fileURLToPath(
        new URL("node_modules/.cache/node-compile", import.meta.url),
      ),
    },
    execArgv: [`--conditions=${source}`],
    reporters: process.env["CI"] ? ["default", "./scripts/count-reporter.ts"] : ["default"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
