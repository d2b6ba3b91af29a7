/** Pages of documentation: their links lead somewhere. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";

import type { Rule } from "./rule.ts";
import { root } from "./tracked-files.ts";

const link = /\]\(([^()\s]+(?:\([^()\s]*\))?)\)/g;
const isElsewhere = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/;

export const wholeLinks: Rule = {
  says: "every relative link of a page leads to a file and a heading that exist",
  breaches: ({ path, text }) => {
    if (!path.endsWith(".md")) return [];
    return [...withoutCode(text).matchAll(link)]
      .map((match) => match[1] ?? "")
      .filter((target) => !isElsewhere.test(target))
      .filter((target) => !leadsSomewhere(path, text, target))
      .map((target) => `links to ${target}`);
  },
  broken: [
    { path: "docs/README.md", text: "See [the other](missing.md).\n" },
    { path: "docs/README.md", text: "# One\n\nSee [below](#two).\n" },
    { path: "docs/README.md", text: "See [it](../README.md#no-such-heading).\n" },
  ],
};

function leadsSomewhere(path: string, text: string, target: string): boolean {
  const [file = "", heading] = target.split("#");
  const place = posix.join(posix.dirname(path), decodeURIComponent(file));
  const there = join(root, place);
  if (file !== "" && !existsSync(there)) return false;
  if (heading === undefined) return true;
  if (file !== "" && statSync(there).isDirectory()) return false;
  return headingsOf(file === "" ? text : readFileSync(there, "utf8")).has(heading);
}

/** The names that headings get: lower case, hyphens for spaces, no punctuation. */
function headingsOf(text: string): ReadonlySet<string> {
  const names = [...withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return new Set(names);
}

const withoutBlocks = (text: string): string =>
  text.replaceAll(/^[ ]*(`{3,})[^`].*?^[ ]*\1$/gms, "");

const withoutCode = (text: string): string =>
  withoutBlocks(text).replaceAll(/(?<!`)`[^`\n]+`(?!`)/g, "``");
