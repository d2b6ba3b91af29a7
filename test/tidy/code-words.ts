/**
 * Words that do not stand in code here. oxlint holds more, with types; these hold in `npm test`.
 */
import { codeOnly } from "./code-only.ts";
import { isCode, isTest, matchingLines, type Rule } from "./rule.ts";

const source = (text: string) => [{ path: "packages/core/src/turn.ts", text }];
const test = (text: string) => [{ path: "packages/core/src/turn.test.ts", text }];

export const noEnum: Rule = {
  says: "no enum",
  breaches: ({ path, text }) =>
    isCode(path) ? matchingLines(codeOnly(text), /\benum\s+\w+\s*\{/, "a union says it") : [],
  broken: source("export enum Phase { Open }\n"),
};

export const noAny: Rule = {
  says: "no any",
  breaches: ({ path, text }) => {
    const untyped = /(?:[:<|&,]|=>|\bas\b|\btype\s+\w+\s*=)\s*any\b(?!\s*[:(.?])/;
    return isCode(path) ? matchingLines(codeOnly(text), untyped, "unknown says it") : [];
  },
  broken: [
    ...source("export const value: any = 1;\n"),
    ...source("export const list = new Map<string, any>();\n"),
    ...source("export const value = load() as any;\n"),
  ],
};

export const noIgnoredErrors: Rule = {
  says: "no compiler error is ignored",
  breaches: ({ path, text }) =>
    isCode(path)
      ? matchingLines(text, /^\s*(?:\/\/|\/?\*+)\s*@ts-(?:ignore|nocheck)/, "fix the type")
      : [],
  broken: source("// @ts-ignore\nexport const value = 1;\n"),
};

export const noMarkedNames: Rule = {
  says: "no type says that it is an interface or an implementation",
  breaches: ({ path, text }) => {
    const marked = /\b(?:interface|class|type)\s+(?:I[A-Z][a-z]\w*|\w+Impl)\b/;
    return isCode(path) ? matchingLines(codeOnly(text), marked, "name what it is") : [];
  },
  broken: [...source("export interface ILog {}\n"), ...source("export class LogImpl {}\n")],
};

export const noFocusedTests: Rule = {
  says: "no test is focused",
  breaches: ({ path, text }) =>
    isTest(path) ? matchingLines(codeOnly(text), /\.only\b/, "runs alone") : [],
  broken: test('test.only("adds", () => {});\n'),
};

export const noSleepsInTests: Rule = {
  says: "no test sleeps",
  breaches: ({ path, text }) => {
    if (!isTest(path)) return [];
    const sleep = /\b(?:sleep|delay)\s*\(|\bsetTimeout\s*\(\s*(?:resolve|done)\b/;
    return [
      ...matchingLines(codeOnly(text), sleep, "wait for the condition instead"),
      ...matchingLines(text, /from "(?:node:)?timers\/promises"/, "wait for the condition instead"),
    ];
  },
  broken: [
    ...test("await sleep(100);\n"),
    ...test("await new Promise((resolve) => setTimeout(resolve, 100));\n"),
    ...test('import { setTimeout } from "node:timers/promises";\n'),
  ],
};
