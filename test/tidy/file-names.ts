/** Names of files and folders: kebab-case, after the one concept inside. */
import type { Rule } from "./rule.ts";

/** Names that tools and readers expect in capitals. */
const capitals = /^(?:[A-Z]+\.md|LICENSE|NOTICE|Dockerfile|Makefile)$/;
const kebab = /^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
const drawer = /^(?:utils?|common|helpers?|misc|shared|stuff)(?:\.|$)/;

export const kebabCaseNames: Rule = {
  says: "files and folders have kebab-case names",
  breaches: ({ path }) =>
    path
      .split("/")
      .filter((part) => !kebab.test(part) && !capitals.test(part))
      .map((part) => `"${part}" is not kebab-case`),
  broken: [
    { path: "packages/core/src/turnRecord.ts", text: "" },
    { path: "packages/Core/index.ts", text: "" },
    { path: "packages/core/src/turn_record.ts", text: "" },
  ],
};

export const noDrawerNames: Rule = {
  says: "no file is a drawer for everything: utils, common, helpers, package-wide types",
  breaches: ({ path }) => [
    ...path
      .split("/")
      .filter((part) => drawer.test(part))
      .map((part) => `"${part}" names no concept`),
    ...(/^packages\/[^/]+\/src\/types\.ts$/.test(path) ? ["types live with their concept"] : []),
  ],
  broken: [
    { path: "packages/core/src/utils.ts", text: "" },
    { path: "packages/core/src/helpers/clock.ts", text: "" },
    { path: "packages/core/src/types.ts", text: "" },
  ],
};
