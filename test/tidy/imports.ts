/**
 * The directions of imports.
 *
 * 1. Only packages/jetstream imports @nats-io; tests in test/ may open a bare connection.
 * 2. examples -> devtools -> jetstream -> core; never back, and leaves never import each other.
 *    Tests, and only they, may import testing
 *     and contracts, which stand on core.
 * 3. A relative import stays in its package; another package is imported by its name.
 * 4. A manifest lists no workspace package that its code may not import.
 */
import { posix } from "node:path";
import { isCode, isTest, matchingLines, type Rule } from "./rule.ts";

/**
 * Imports that each package may have. One that is missing here is placed before its first import.
 */
const allowed: Readonly<Record<string, readonly string[]>> = Object.freeze({
  core: [],
  testing: ["core"],
  contracts: ["core", "testing"],
  jetstream: ["core"],
  postgres: ["core"],
  "archive-s3": ["core"],
  telemetry: ["core"],
  agents: ["core"],
  gateway: ["core"],
  devtools: ["core", "jetstream", "archive-s3"],
  examples: [
    "core",
    "testing",
    "jetstream",
    "postgres",
    "archive-s3",
    "telemetry",
    "agents",
    "gateway",
    "devtools",
  ],
});

/** Packages that the tests of every package may import besides, and the fixtures of tests. */
const forTests: readonly string[] = ["testing", "contracts"];
const isForTests = (path: string): boolean => isTest(path) || path.includes("/fixtures/");

const specifier = /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g;

const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1];

const specifiers = (text: string): string[] =>
  [...text.matchAll(specifier)].map((match) => match[1] ?? "");

export const brokerOnlyInJetstream: Rule = {
  says: "only packages/jetstream, and tests in test/, import @nats-io",
  breaches: ({ path, text }) =>
    isCode(path) && !/^(?:packages\/jetstream|test)\//.test(path)
      ? matchingLines(text, /(?:\bfrom|\bimport)\s*\(?\s*"@nats-io\//, "goes through a port")
      : [],
  broken: [
    { path: "packages/core/src/log.ts", text: 'import { connect } from "@nats-io/nats-core";\n' },
    { path: "packages/devtools/src/tail.ts", text: 'await import("@nats-io/jetstream");\n' },
  ],
};

export const oneWayImports: Rule = {
  says: "packages import one another in one direction",
  breaches: ({ path, text }) => {
    const from = packageOf(path);
    if (from === undefined || !isCode(path)) return [];
    return specifiers(text)
      .filter((name) => name.startsWith("@troupe/"))
      .map((name) => name.split("/")[1] ?? "")
      .filter((to) => to !== from && !(allowed[from] ?? []).includes(to))
      .filter((to) => !(forTests.includes(to) && isForTests(path)))
      .map((to) => `${from} may not import ${to}`);
  },
  broken: [
    { path: "packages/core/src/log.ts", text: 'import { log } from "@troupe/jetstream";\n' },
    { path: "packages/jetstream/src/log.ts", text: 'import type { A } from "@troupe/devtools";\n' },
    { path: "packages/new/src/index.ts", text: 'export * from "@troupe/core";\n' },
    { path: "packages/core/src/log.ts", text: 'import { given } from "@troupe/testing";\n' },
  ],
};

export const packageWalls: Rule = {
  says: "no relative import leaves its package",
  breaches: ({ path, text }) => {
    const from = packageOf(path);
    if (from === undefined || !isCode(path)) return [];
    return specifiers(text)
      .filter((name) => name.startsWith("."))
      .map((name) => posix.join(posix.dirname(path), name))
      .filter((target) => packageOf(target) !== from)
      .map((target) => `imports ${target}`);
  },
  broken: [
    {
      path: "packages/core/src/log.ts",
      text: 'import { a } from "../../jetstream/src/index.ts";\n',
    },
  ],
};

export const oneWayManifests: Rule = {
  says: "manifests depend in the same direction as imports",
  breaches: ({ path, text }) => {
    const from = packageOf(path);
    if (from === undefined || !/^packages\/[^/]+\/package\.json$/.test(path)) return [];
    const dependencies = text.replace(/"devDependencies": \{[^}]*\}/, (development) =>
      [...forTests].reduce((rest, each) => rest.replace(`"@troupe/${each}":`, ""), development),
    );
    return [...dependencies.matchAll(/"@troupe\/([a-z0-9-]+)":/g)]
      .map((match) => match[1] ?? "")
      .filter((to) => !(allowed[from] ?? []).includes(to))
      .map((to) => `${from} may not depend on ${to}`);
  },
  broken: [
    { path: "packages/core/package.json", text: '{ "dependencies": { "@troupe/agents": "1" } }' },
    { path: "packages/core/package.json", text: '{ "dependencies": { "@troupe/testing": "1" } }' },
    {
      path: "packages/postgres/package.json",
      text: '{ "devDependencies": { "@troupe/devtools": "1" } }',
    },
  ],
};
