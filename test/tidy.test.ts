/**
 * The style in CONTRIBUTING.md, as far as a machine can hold it. Each rule is run on every tracked
 * file, and on files that break it: a rule that cannot fail holds nothing.
 */
import { afterAll, describe, expect, test } from "vitest";
import * as codeWords from "./tidy/code-words.ts";
import * as fileNames from "./tidy/file-names.ts";
import {
  commentWidth,
  lineCount,
  linesToThinkAbove,
  openingParagraph,
  shortFiles,
} from "./tidy/file-shape.ts";
import * as imports from "./tidy/imports.ts";
import * as manifests from "./tidy/manifests.ts";
import * as oldWords from "./tidy/old-words.ts";
import * as pages from "./tidy/pages.ts";
import * as plainText from "./tidy/plain-text.ts";
import { isCode, type Rule } from "./tidy/rule.ts";
import * as tiers from "./tidy/tiers.ts";
import { isCheckout, trackedFiles } from "./tidy/tracked-files.ts";

const files = trackedFiles();
const rules: readonly Rule[] = [
  ...Object.values(fileNames),
  shortFiles,
  openingParagraph,
  commentWidth,
  ...Object.values(codeWords),
  ...Object.values(imports),
  ...Object.values(manifests),
  ...Object.values(oldWords),
  ...Object.values(pages),
  ...Object.values(plainText),
  ...Object.values(tiers),
];

test("git tracks files to look at", ({ skip }) => {
  skip(!isCheckout, "not a git checkout, so nothing says which files belong to the repository");
  expect(files.map(({ path }) => path)).toContain("package.json");
});

describe.each(rules)("$says", (rule) => {
  test("in every tracked file", () => {
    const breaches = files.flatMap((file) =>
      rule.breaches(file).map((breach) => `${file.path}: ${breach}`),
    );
    expect(breaches).toEqual([]);
  });

  test.each(rule.broken)("and fails where it is broken: $path (%#)", (file) => {
    expect(rule.breaches(file)).not.toEqual([]);
  });
});

/** Not a breach, but to be seen in every run. */
afterAll(() => {
  const long = files
    .filter(({ path, text }) => isCode(path) && lineCount(text) > linesToThinkAbove)
    .map(({ path, text }) => `${lineCount(text)} lines, think of splitting: ${path}\n`);
  process.stdout.write(long.join(""));
});
