/** No two files of core need each other, imports of types included: any can be read alone. */
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { importsOf, knotsOf } from "../../scripts/house/import-graph.ts";
import { trackedSources } from "../../scripts/house/tracked-sources.ts";
import { isCheckout } from "./tracked-files.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("no files of core need each other", ({ skip }) => {
  skip(!isCheckout, "not a git checkout, so nothing says which files belong to the repository");
  const sources = trackedSources(root).get("core") ?? [];
  expect(sources.length).toBeGreaterThan(100);
  expect(knotsOf(importsOf(sources))).toEqual([]);
});

test("files that need each other through the type of a third one are found", () => {
  const sources = [
    { path: "turn/turn.ts", text: 'import { Steps } from "./steps.ts";\n' },
    { path: "turn/steps.ts", text: 'import { size } from "../commit/size.ts";\n' },
    { path: "commit/size.ts", text: 'import type { Turn } from "../turn/turn.ts";\n' },
    { path: "commit/alone.ts", text: 'import { size } from "./size.ts";\n' },
  ];
  expect(knotsOf(importsOf(sources))).toEqual([
    ["commit/size.ts", "turn/steps.ts", "turn/turn.ts"],
  ]);
});
