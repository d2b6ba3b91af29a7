/** The glossary has the words that the documentation uses, each once, and no other. */
import { expect, test } from "vitest";
import { isCheckout, trackedFiles } from "./tracked-files.ts";

const glossary = "docs/glossary.md";
const files = trackedFiles().filter(({ path }) => path.endsWith(".md"));
const text = files.find(({ path }) => path === glossary)?.text ?? "";
const words = [...text.matchAll(/^- \*\*([^*]+)\*\*:/gm)].map(([, word = ""]) => word);
const documentation = files
  .filter(({ path }) => path !== glossary && /^(?:README|ARCHITECTURE|docs\/)/.test(path))
  .map((file) => file.text.replaceAll(/\s+/g, " "))
  .join("\n");

test("the glossary has words, each once", ({ skip }) => {
  skip(!isCheckout, "not a git checkout");
  expect(words.length).toBeGreaterThan(50);
  expect(words.toSorted()).toEqual([...new Set(words)].toSorted());
});

test.for(words)("the documentation uses %s", (word) => {
  const used = new RegExp(
    String.raw`\b${word.replace(/y$/, "(?:y|ies)").replace(/e$/, "e?")}`,
    "i",
  );
  expect(documentation).toMatch(used);
});
