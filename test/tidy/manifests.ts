/** Manifests and the lockfile: licensed, described, and nothing that runs while it is installed. */
import type { Rule } from "./rule.ts";

export const describedPackages: Rule = {
  says: "every package has a licence and a description",
  breaches: ({ path, text }) => {
    if (!/^(?:packages\/[^/]+\/)?package\.json$/.test(path)) return [];
    const manifest: unknown = JSON.parse(text);
    const breaches: string[] = [];
    if (field(manifest, "license") !== "Apache-2.0") breaches.push("license is not Apache-2.0");
    if (field(manifest, "description") === undefined) breaches.push("has no description");
    return breaches;
  },
  broken: [
    { path: "packages/core/package.json", text: '{ "license": "Apache-2.0" }' },
    { path: "packages/core/package.json", text: '{ "description": "The engine." }' },
  ],
};

export const foundPackages: Rule = {
  says: "every published package has keywords, the Node that it needs, and its own manifest as an entry",
  breaches: ({ path, text }) => {
    if (!/^packages\/[^/]+\/package\.json$/.test(path)) return [];
    const manifest: unknown = JSON.parse(text);
    if (field(manifest, "private") === true) return [];
    const keywords = field(manifest, "keywords");
    const breaches: string[] = [];
    if (!Array.isArray(keywords) || keywords.length < 3) breaches.push("has fewer than 3 keywords");
    if (field(field(manifest, "engines"), "node") !== ">=24") breaches.push("needs another Node");
    if (field(field(manifest, "exports"), "./package.json") === undefined) {
      breaches.push("exports no ./package.json");
    }
    return breaches;
  },
  broken: [
    { path: "packages/core/package.json", text: '{ "keywords": ["a", "b", "c"] }' },
    { path: "packages/core/package.json", text: '{ "engines": { "node": ">=24" } }' },
  ],
};

export const noInstallScripts: Rule = {
  says: "no dependency runs a script while it is installed",
  breaches: ({ path, text }) => {
    if (path !== "package-lock.json") return [];
    const packages = field(JSON.parse(text), "packages");
    return Object.entries(packages ?? {})
      .filter(([name]) => name !== "" && !permitted.has(name))
      .filter(([, entry]) => field(entry, "hasInstallScript") === true)
      .map(([name]) => `${name} has an install script`);
  },
  broken: [
    {
      path: "package-lock.json",
      text: '{ "packages": { "node_modules/native": { "hasInstallScript": true } } }',
    },
  ],
};

/**
 * Marked in every lockfile, although what it installs is a file: see allowScripts in package.json.
 */
const permitted: ReadonlySet<string> = new Set(["node_modules/fsevents"]);

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
