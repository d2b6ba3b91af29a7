/** The shape of a code file: short, opened by a paragraph, comments within 100 columns. */
import { tooWideComments } from "../../scripts/wrap-comments.ts";
import { isCode, isTest, type Rule } from "./rule.ts";

const linesMax = 500;
export const linesToThinkAbove = 300;

export const lineCount = (text: string): number => text.replace(/\n$/, "").split("\n").length;

export const shortFiles: Rule = {
  says: `no code file is longer than ${linesMax} lines`,
  breaches: ({ path, text }) => {
    const lines = lineCount(text);
    return isCode(path) && lines > linesMax ? [`${lines} lines; split it by concept`] : [];
  },
  broken: [{ path: "packages/core/src/engine.ts", text: "const a = 1;\n".repeat(linesMax + 1) }],
};

export const openingParagraph: Rule = {
  says: "a source file opens with a paragraph on what it is for",
  breaches: ({ path, text }) => {
    if (!isCode(path) || isTest(path) || path.endsWith(".config.ts")) return [];
    return /^(?:#!.*\n)?\s*\/\*\*/.test(text) ? [] : ["does not open with a /** … */ paragraph"];
  },
  broken: [{ path: "packages/core/src/turn.ts", text: "export const turn = 1;\n" }],
};

export const commentWidth: Rule = {
  says: "comments fit 100 columns (npm run format wraps them)",
  breaches: ({ path, text }) =>
    isCode(path) ? tooWideComments(text).map((line) => `line ${line} is wider`) : [],
  broken: [{ path: "packages/core/src/turn.ts", text: `// ${"word ".repeat(25)}\n` }],
};
