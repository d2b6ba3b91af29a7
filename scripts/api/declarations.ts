/**
 * Reads a declaration file of the compiler, statement by statement.
 *
 * The compiler writes one statement of the top level after the other, each beginning in the first
 * column, and nothing else begins there but closing brackets. That is all that is read here.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A name that a file declares or passes on. */
export interface Place {
  readonly file: string;
  readonly name: string;
}

interface DeclarationFile {
  /** Text of each declaration without comments, by name; overloads together. */
  readonly declared: ReadonlyMap<string, string>;
  /** Origins of imported and passed on names, by the name that they have here. */
  readonly from: ReadonlyMap<string, Place>;
  /** Names that the file exports. */
  readonly exported: ReadonlySet<string>;
  /** Files of which it exports everything. */
  readonly all: readonly string[];
}

const comment = /^[ \t]*\/\*\*[^]*?\*\/\n/gm;
const hidden = /^ +(?:#private;|private .*)\n/gm;
const declaration =
  /^(export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|let) (\w+)/;
const list = /^(import|export) (?:type )?\{([^}]*)\}(?: from "(\.[^"]+)")?/;
const everything = /^export (?:type )?\* from "(\.[^"]+)"/;

const known = new Map<string, DeclarationFile>();

/** Reads a file once. @throws Error when the compiler has not written it */
export function declarationsIn(file: string): DeclarationFile {
  const before = known.get(file);
  if (before !== undefined) return before;
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run types`);
  const read = parse(file, readFileSync(file, "utf8"));
  known.set(file, read);
  return read;
}

/** Place of the declaration of a name that `file` uses, exports or passes on. */
export function declaringPlace({ file, name }: Place): Place | undefined {
  const { all, declared, from } = declarationsIn(file);
  if (declared.has(name)) return { file, name };
  const place = from.get(name);
  if (place !== undefined) return declaringPlace(place);
  for (const each of all) {
    const found = declaringPlace({ file: each, name });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Every name that a file exports. */
export function exportedNames(file: string): readonly string[] {
  const { all, exported } = declarationsIn(file);
  return [...exported, ...all.flatMap(exportedNames)];
}

function parse(file: string, text: string): DeclarationFile {
  const declared = new Map<string, string>();
  const from = new Map<string, Place>();
  const exported = new Set<string>();
  const all: string[] = [];
  const target = (specifier: string): string =>
    join(dirname(file), specifier.replace(/\.ts$/, ".d.ts"));
  for (const statement of statementsOf(text)) {
    const [, isExported, name] = declaration.exec(statement) ?? [];
    const [, how, names = "", specifier] = list.exec(statement) ?? [];
    const [, whole] = everything.exec(statement) ?? [];
    if (whole !== undefined) all.push(target(whole));
    if (name !== undefined) {
      const plain = statement.replace(/^export /, "").replace(/^declare /, "");
      declared.set(name, (declared.get(name) ?? "") + plain);
      if (isExported !== undefined) exported.add(name);
    }
    for (const { inside, outside } of listedNames(names)) {
      if (how === "export") exported.add(outside);
      if (specifier !== undefined) from.set(outside, { file: target(specifier), name: inside });
    }
  }
  return { declared, from, exported, all };
}

function statementsOf(text: string): readonly string[] {
  return text
    .replaceAll(comment, "")
    .replaceAll(hidden, "")
    .split(/^(?=[a-z])/m);
}

interface ListedName {
  readonly inside: string;
  readonly outside: string;
}

function listedNames(names: string): readonly ListedName[] {
  return names
    .split(",")
    .map((part) => part.trim().replace(/^type /, ""))
    .filter((part) => part !== "")
    .map((part) => {
      const [inside = "", outside = inside] = part.split(" as ");
      return { inside, outside };
    });
}
