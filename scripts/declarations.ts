/**
 * Reads the declaration files that the compiler writes: what a module exports, and the text and doc
 * comment of each. Their form is regular (one declaration after the other, comments in front), so
 * no compiler is needed.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A declaration that a package exports. */
export interface Declaration {
  readonly name: string;
  readonly kind: "value" | "type";
  /** The doc comment without its stars; empty when there is none. */
  readonly comment: string;
  readonly text: string;
  /** The declaration file that it stands in. */
  readonly file: string;
}

const reExport = /^export (?:type )?(?:\{([^}]*)\}|\*) from "(\.[^"]+)";/gm;
const ownExport =
  /^export (?:declare )?(?:abstract )?(?:function|class|interface|type|const) (\w+)/gm;

/** Names that a module exports, each with the file that declares it. */
export async function exportsOf(file: string): Promise<Map<string, string>> {
  const text = await readFile(file, "utf8");
  const found = new Map<string, string>();
  for (const [, name = ""] of text.matchAll(ownExport)) found.set(name, file);
  for (const [, list, from = ""] of text.matchAll(reExport)) {
    const target = join(dirname(file), from.replace(/\.ts$/, ".d.ts"));
    const theirs = await exportsOf(target);
    const wanted = list === undefined ? [...theirs.keys()] : namesOf(list);
    for (const name of wanted) found.set(name, theirs.get(name) ?? target);
  }
  return found;
}

function namesOf(list: string): string[] {
  return list
    .split(",")
    .map((each) => each.trim().replace(/^type /, ""))
    .filter((each) => each !== "");
}

/** The comment that a file begins with, without its stars. */
export function moduleComment(text: string): string {
  return withoutStars(/^(?:#![^\n]*\n)?\/\*\*([^]*?)\*\//.exec(text)?.[1] ?? "").replaceAll(
    "```ts",
    "```typescript",
  );
}

/** A declaration by its name; of a function all its overloads. */
export async function declarationOf(name: string, file: string): Promise<Declaration> {
  const text = await readFile(file, "utf8");
  const start = new RegExp(
    `^export (?:declare )?(?:abstract )?(function|class|interface|type|const) ${name}\\b`,
    "gm",
  );
  const found = [...text.matchAll(start)];
  const [first] = found;
  if (first === undefined) throw new Error(`${file} does not declare ${name}`);
  const texts = found.map(({ index }) => text.slice(index, endOf(text, index)));
  const comments = found.map(({ index }) => commentBefore(text, index));
  return {
    name,
    kind: first[1] === "interface" || first[1] === "type" ? "type" : "value",
    comment: comments.find((comment) => comment !== "") ?? "",
    text: texts.map(tidied).join("\n"),
    file,
  };
}

/** The end of the declaration that begins here: its semicolon, or its closing brace. */
function endOf(text: string, start: number): number {
  const isBlock = /^export (?:declare )?(?:abstract )?(?:class|interface)/.test(text.slice(start));
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const two = text.slice(index, index + 2);
    if (two === "/*") index = text.indexOf("*/", index) + 1;
    else if (/["'`]/.test(text[index] ?? "")) index = text.indexOf(text[index] ?? "", index + 1);
    else if (/[{([]/.test(text[index] ?? "")) depth++;
    else if (/[})\]]/.test(text[index] ?? "")) {
      depth--;
      if (depth === 0 && isBlock && text[index] === "}") return index + 1;
    } else if (text[index] === ";" && depth === 0) return index + 1;
  }
  throw new Error("a declaration does not end");
}

/** The doc comment right in front of a declaration. */
function commentBefore(text: string, index: number): string {
  const before = text.slice(0, index).trimEnd();
  if (!before.endsWith("*/")) return "";
  return withoutStars(before.slice(before.lastIndexOf("/**") + 3, -2));
}

function withoutStars(comment: string): string {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

/** Two blanks for a level, and nothing that is only for the compiler or for us. */
function tidied(text: string): string {
  return text
    .replace(/^export (?:declare )?/, "")
    .replaceAll(/^(?: {4})+/gm, (blanks) => blanks.slice(blanks.length / 2))
    .replaceAll(/^\s*#private;\n/gm, "")
    .replaceAll(/^\s*private [^\n]*\n/gm, "");
}
